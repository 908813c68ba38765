"""The page `Review` of the navigation."""

from ui.review import screen

screen.page()
