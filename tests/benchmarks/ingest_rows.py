"""What `ingest_speed.py` measures: a function for each part of its table."""

from __future__ import annotations

import io
import math
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import fabricated
import imagehash
import numpy as np
from bench import Bench, Line, NotMeasured, at_least
from PIL import Image
from sqlalchemy import select

from catalog import images, jpeg
from catalog.copies import COPY_KINDS
from catalog.duplicates import find_duplicates
from catalog.errors import ImageRejected
from catalog.ingest import ingest
from catalog.schema import DuplicateGroupRow, DuplicateMemberRow, SourceFileRow
from catalog.store import Catalog

sys.path.append(str(Path(__file__).parents[1]))  # the generators beside these benchmarks

from hostile.building import png_bomb
from hostile.jpegs import block_replaced
from hostile.pictures import write_pictures
from stored_pictures import swapped_chroma, turned_hue

COPY_PX = 1024
COMPARED_COPIES = 20
DAMAGE_SEED = 7
SAME_HASH_BITS = 6
MEMORY_MB = 500
TABLE_S = 10
SECOND_RUN_S = 5


def full_pass(bench: Bench) -> Iterator[Line]:
    """The whole ingest of photographs beside cleanvision's checks, in CPU time."""
    dump, count = bench.photographs, bench.counts.photographs
    passes: dict[str, Callable[[], dict]] = {"ours": lambda: bench.ours("ingest", dump, bench.workspace(), 1)}
    if installed(bench):
        passes["duplicates"] = lambda: bench.peer("cleanvision", dump, False)
    best = bench.best(**passes)
    ours, shown = best["ours"]["cpu"], _rate(count, best["ours"]["cpu"])
    name = f"full pass of {count} JPEGs of 1500 px (read, check, fingerprint, store, caption), one worker"
    if "duplicates" not in best:
        yield Line(measured=name, ours=shown, beside="cleanvision: not measured")
        return
    duplicates = best["duplicates"]["cpu"]
    beside = f"cleanvision, exact and near duplicates only: {_rate(count, duplicates)}"
    yield Line(measured=name, ours=shown, beside=beside, **at_least(duplicates / ours, 2.5))
    every = bench.peer("cleanvision", dump, True)["cpu"]  # once: it takes as long as all the rest
    beside = f"cleanvision, all checks: {_rate(count, every)}"
    yield Line(measured="the same", ours=shown, beside=beside, **at_least(every / ours, 8))


def pass_with_copy(bench: Bench) -> Iterator[Line]:
    """The whole ingest with a smaller copy of each picture beside img2dataset's resizer alone, in CPU time."""
    dump, count = bench.photographs, bench.counts.photographs
    ours, theirs = bench.folder / "copies_ours", bench.folder / "copies_theirs"
    for folder in (ours, theirs):
        folder.mkdir(exist_ok=True)
    copying = (COPY_PX, COMPARED_COPIES)
    passes: dict[str, Callable[[], dict]] = {
        "ours": lambda: bench.ours("ingest_with_copies", dump, bench.workspace(), *copying, ours)
    }
    if installed(bench):
        passes["theirs"] = lambda: bench.peer("img2dataset", dump, *copying, theirs)
    best = bench.best(**passes)
    name, shown = (
        f"full pass and a copy of {COPY_PX} px each (JPEG q95), one process",
        _rate(count, best["ours"]["cpu"]),
    )
    quality = f"{_mean_psnr(dump, ours):.1f} dB"
    if "theirs" not in best:
        yield Line(measured=name, ours=f"{shown}; {quality}", beside="img2dataset: not measured")
        return
    beside = f"img2dataset, `Resizer({COPY_PX})` alone: {_rate(count, best['theirs']['cpu'])}"
    ratio = best["theirs"]["cpu"] / best["ours"]["cpu"]
    yield Line(measured=name, ours=shown, beside=beside, **at_least(ratio, 1.0))
    peer_quality = f"{_mean_psnr(dump, theirs):.1f} dB"
    yield Line(measured="PSNR of these copies, against Lanczos", ours=quality, beside=f"img2dataset: {peer_quality}")


def damaged_blocks(bench: Bench) -> Iterator[Line]:
    """Which decoders notice that 4 KiB of a photograph were zeroed, or its end is missing."""
    sound = sorted(bench.photographs.glob("*.jpg"))[: bench.counts.damaged]
    rng = np.random.default_rng(DAMAGE_SEED)
    for what, wanted in (("a zeroed block of 4 KiB", 0.9), ("the end cut off", None), ("no damage", None)):
        folder = bench.folder / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path in sound:
            data, share = path.read_bytes(), float(rng.random())
            broken = {
                "a zeroed block of 4 KiB": lambda data=data, share=share: block_replaced(data, share),
                "the end cut off": lambda data=data, share=share: data[: int(len(data) * (0.1 + 0.89 * share))],
                "no damage": lambda data=data: data,
            }[what]()
            (folder / path.name).write_bytes(broken)
        files = sorted(folder.iterdir())
        found = sum(_refused(images.survey, path.read_bytes()) for path in files) / len(files)
        by_verify = sum(_refused(_verify, path.read_bytes()) for path in files) / len(files)
        by_load = sum(_refused(_load, path.read_bytes()) for path in files) / len(files)
        opencv = f"{len(bench.peer('opencv_refused', folder)) / len(files):.0%}" if installed(bench) else "not measured"
        yield Line(
            measured=f"refused, of {len(files)} JPEGs with {what}",
            ours=f"{found:.0%}",
            beside=f"Pillow `verify()` {by_verify:.0%}, Pillow decoding all {by_load:.0%}, OpenCV {opencv}",
            result=f"{found:.1%}",
            wanted=f">= {wanted:.0%}" if wanted else "0 %" if what == "no damage" else "",
            met=found >= wanted if wanted else found == 0 if what == "no damage" else None,
        )


def colour_variants(bench: Bench) -> Iterator[Line]:
    """Whether recoloured pictures stay apart while copies of a picture are found."""
    dump = bench.folder / "colours"
    recoloured, copies, hashes = _write_colours(dump, fabricated.colourful_numbers(bench.counts.colourful))
    with Catalog.open(bench.workspace()) as catalog:
        ingest(catalog, dump)
        find_duplicates(catalog)
        leaders = _leaders(catalog)
    plain = lambda pair: hashes[pair[0]] - hashes[pair[1]] <= SAME_HASH_BITS  # noqa: E731
    ours = lambda pair: leaders[pair[0]] == leaders[pair[1]]  # noqa: E731
    merged, merged_plain = (sum(map(rule, recoloured)) / len(recoloured) for rule in (ours, plain))
    found, found_plain = (sum(map(rule, copies)) / len(copies) for rule in (ours, plain))
    rule = f"pHash within {SAME_HASH_BITS} of 64 bits"
    yield Line(
        measured=f"colour variants merged, of {len(recoloured)} (hue turned by 120 degrees; Cb and Cr exchanged)",
        ours=f"{merged:.1%}", beside=f"{rule}: {merged_plain:.1%}", result=f"{merged:.1%}", wanted="<= 1 %",
        met=merged <= 0.01,
    )  # fmt: skip
    yield Line(
        measured=f"copies found, of {len(copies)} (quality 40; 1/2 and 3/4 the size)",
        ours=f"{found:.1%}", beside=f"{rule}: {found_plain:.1%}", result=f"{found:.1%}", wanted=">= 99 %",
        met=found >= 0.99,
    )  # fmt: skip
    originals = [f"{first.split('_')[0]}_original.jpg" for first, _ in copies[::3]]
    shared = len(originals) - len({leaders[name] for name in originals})
    yield Line(measured=f"different pictures merged, of {len(originals)}", ours=f"{shared}")


def table_rows(bench: Bench) -> Iterator[Line]:
    """A large Japanese table into SQLite, and its write part beside one that goes through mapped objects."""
    dump = _japanese_dump(bench.folder / "table", bench.counts.table_rows)
    ours = bench.ours("table", dump, bench.workspace(), False)
    mapped = bench.ours("orm", dump, bench.workspace())
    if any(ours[count] != mapped[count] for count in ("products", "attributes")):
        raise NotMeasured(f"{ours['attributes']} attributes by the ingest, {mapped['attributes']} by the ORM")
    parts = ", ".join(f"{part} {ours[part]['wall']:.1f} s" for part in ("reading", "writing"))
    yield Line(
        measured=f"CP932 table of {ours['products']:,} rows into SQLite, with {ours['attributes']:,} attributes",
        ours=f"{parts}; {ours['cpu']:.1f} s CPU",
        result=f"{ours['wall']:.1f} s",
        wanted=f"< {TABLE_S} s",
        met=ours["wall"] < TABLE_S,
    )
    yield Line(
        measured="its writing alone: drafts in memory to committed rows of products and attributes",
        ours=f"{ours['writing']['wall']:.1f} s, comparing and hashing each row too",
        beside=f"SQLAlchemy ORM, `add_all`, a commit each 500 products: {mapped['wall']:.1f} s",
        **at_least(mapped["wall"] / ours["writing"]["wall"], 3),
    )
    captioned = _japanese_dump(bench.folder / "captioned", bench.counts.captioned_rows)
    made = bench.ours("table", captioned, bench.workspace(), True)
    seconds = made["captions"]["wall"] / made["products"] * 1000
    yield Line(
        measured=f"captions of such rows, not in the times above: {made['texts']:,} of {made['products']:,} products",
        ours=f"{seconds:.2f} s per 1,000 products",
    )


def _japanese_dump(dump: Path, rows: int) -> Path:
    fabricated.write_photographs(dump, 1, 200)  # without any picture it would be refused
    fabricated.write_japanese_table(dump / "products.csv", rows, "photo_00000.jpg")
    return dump


def hostile_memory(bench: Bench) -> Iterator[Line]:
    """The most memory a decode worker ever had with files made to break it."""
    dump = bench.folder / "hostile"
    paths = [*write_pictures(dump), *_largest_allowed(dump)]
    sound = fabricated.write_photographs(dump / "sound", 1, 200)  # a dump without any usable picture is refused
    fabricated.write_picture_table(dump, [*paths, *sound])
    taken = bench.ours("ingest", dump, bench.workspace(), 1)
    ended = sum(taken["codes"].get(code, 0) for code in ("IMG_CRASHED", "IMG_TIMEOUT"))
    yield Line(
        measured=f"peak memory of a worker, {len(paths)} pictures: the hostile set, and the largest allowed",
        ours=f"{taken['worker_mb']:.0f} MB; {len(paths) + 1 - taken['decoded']} not looked at, {ended} ended a worker",
        result=f"{taken['worker_mb']:.0f} MB",
        wanted=f"< {MEMORY_MB} MB",
        met=taken["worker_mb"] < MEMORY_MB,
    )


def _largest_allowed(folder: Path) -> list[Path]:
    """Write pictures at the caps and a little below, which cost more memory than any that is refused at sight."""
    paths = []
    for share in (0.8, 0.9, 1.0):
        side_px = math.isqrt(int(images.MAX_PIXELS * share))
        paths.append(folder / f"largest_{side_px}.png")
        paths[-1].write_bytes(png_bomb(side_px, side_px))
    side_px = math.isqrt(jpeg.MAX_PROGRESSIVE_PIXELS)
    paths.append(folder / f"largest_{side_px}.jpg")
    Image.new("RGB", (side_px, side_px), (90, 60, 30)).save(paths[-1], progressive=True)
    return paths


def two_workers(bench: Bench) -> Iterator[Line]:
    """Wall time of the full pass with two workers beside one."""
    if bench.cores < 2:
        raise NotMeasured("two workers need two cores")
    dump, count = bench.photographs, bench.counts.photographs
    rounds = [
        [bench.ours("ingest", dump, bench.workspace(), workers)["wall"] for workers in (1, 2)]
        for _ in range(bench.counts.rounds)
    ]
    one, two = (min(walls) for walls in zip(*rounds, strict=True))
    yield Line(
        measured=f"the full pass of {count} JPEGs by the clock, two workers",
        ours=f"{count / two:.0f} pictures/s",
        beside=f"one worker: {count / one:.0f} pictures/s",
        **at_least(one / two, 1.5),
    )


def linear_cost(bench: Bench) -> Iterator[Line]:
    """Seconds for ever more pictures, and for a second run that has nothing to do."""
    sizes, per_thousand = bench.counts.small_pictures, []
    dump, workspace = bench.folder / "small", bench.folder
    for size in sizes:
        shutil.rmtree(dump, ignore_errors=True)
        fabricated.write_picture_table(dump, fabricated.write_small_pictures(dump, size))
        workspace = bench.workspace()
        per_thousand.append(bench.ours("ingest", dump, workspace, None)["wall"] / size * 1000)
    shown = ", ".join(f"{size:,}: {taken:.2f} s" for size, taken in zip(sizes, per_thousand, strict=True))
    growth = per_thousand[-1] / per_thousand[0]
    yield Line(
        measured="seconds per 1,000 pictures of 64 px with their rows and captions, by how many there are",
        ours=shown, result=f"{growth:.2f} x", wanted="<= 1.25 x", met=growth <= 1.25,
    )  # fmt: skip
    again = bench.ours("ingest", dump, workspace, None)
    idle = again["decoded"] == 0 and again["changed"] == 0
    yield Line(
        measured=f"second run on the same {sizes[-1]:,} pictures",
        ours=f"{again['wall']:.1f} s; {again['decoded']} decoded, {again['changed']} rows changed",
        result=f"{again['wall']:.1f} s",
        wanted=f"< {SECOND_RUN_S} s, 0 decoded, 0 changed",
        met=again["wall"] < SECOND_RUN_S and idle,
    )


ROWS: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "pass": full_pass,
    "copy": pass_with_copy,
    "damage": damaged_blocks,
    "colours": colour_variants,
    "table": table_rows,
    "memory": hostile_memory,
    "workers": two_workers,
    "linear": linear_cost,
}


def installed(bench: Bench) -> bool:
    """Whether the peers can be run here; asked once, when it is first needed."""
    if bench.peers is None:
        try:
            bench.peers = bench.peer("versions")
        except NotMeasured as error:
            bench.peers = {}
            print(f"the peers are not measured: {error}", file=sys.stderr)
    return bool(bench.peers)


def _rate(count: int, cpu_s: float) -> str:
    return f"{count / cpu_s:.0f} pictures per core-second"


def _mean_psnr(originals: Path, copies: Path) -> float:
    """Return the mean PSNR in dB of JPEG copies against Pillow's Lanczos of their originals."""
    values = []
    for path in sorted(copies.iterdir()):
        with Image.open(path) as copy, Image.open(originals / path.name) as original:
            wanted = original.convert("RGB").resize(copy.size, Image.Resampling.LANCZOS)
            error = np.square(np.asarray(copy.convert("RGB"), np.float32) - np.asarray(wanted, np.float32)).mean()
        values.append(10 * math.log10(255**2 / float(error)))
    return float(np.mean(values))


def _refused(read: Callable[[bytes], object], data: bytes) -> bool:
    try:
        read(data)
    except (ImageRejected, OSError, SyntaxError, ValueError):
        return True
    return False


def _verify(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as opened:
        opened.verify()


def _load(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()


_Pairs = list[tuple[str, str]]


def _write_colours(dump: Path, numbers: list[int]) -> tuple[_Pairs, _Pairs, dict[str, imagehash.ImageHash]]:
    """Write pictures, recoloured ones and copies; return pairs (made, original) of both kinds, and all pHashes."""
    dump.mkdir()
    pairs: dict[bool, _Pairs] = {True: [], False: []}
    hashes, paths = {}, []
    for number in numbers:
        original = fabricated.photograph(number, 640)
        made = {
            "original": (original, 92),
            "hue": (turned_hue(original), 92),
            "swap": (swapped_chroma(original), 92),
            "quality": (original, 40),
            "half": (original.resize((320, 320), Image.Resampling.LANCZOS), 88),
            "threequarters": (original.resize((480, 480), Image.Resampling.LANCZOS), 88),
        }
        for kind, (picture, quality) in made.items():
            path = dump / f"{number}_{kind}.jpg"
            picture.save(path, quality=quality)
            with Image.open(path) as saved:
                hashes[path.name] = imagehash.phash(saved)
            paths.append(path)
            if kind != "original":
                pairs[kind in ("hue", "swap")].append((path.name, f"{number}_original.jpg"))
    fabricated.write_picture_table(dump, paths)
    return pairs[True], pairs[False], hashes


def _leaders(catalog: Catalog) -> dict[str, int | None]:
    """Return file name → id of the picture it is a copy of, its own if it is none."""
    query = select(DuplicateMemberRow.image_id, DuplicateGroupRow.keeper_image_id)
    copies = query.join(DuplicateGroupRow).where(DuplicateGroupRow.kind.in_(COPY_KINDS))
    with catalog.read() as session:
        keepers = dict(session.execute(copies).tuples().all())
        files = session.execute(select(SourceFileRow.path, SourceFileRow.image_id))
        return {path: keepers.get(image_id or 0, image_id) for path, image_id in files.tuples()}
