"""The local network around this computer: what it knows already, what is announced there, and, only where the officer says so, what answers.

Nothing here leaves the link: ``links`` says what the link is, ``sending`` is the one place from which a packet can go.
"""
