"""Traces of phones, cameras and other devices that are not part of one operating system: backups, pairings, tables of makers."""
