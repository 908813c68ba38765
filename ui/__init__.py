"""The review screen: where people judge what was generated. Rules live in `catalog.review`, none here."""
