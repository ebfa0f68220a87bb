"""Pictures that are known even when they were changed: hashes of what a picture looks like, kept in a store and looked up by nearness.

``open_pictures`` opens those of a store, ``decode`` and ``looks`` make those of a picture, ``PictureSet.nearest`` looks it up.
"""
