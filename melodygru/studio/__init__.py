"""The studio: a page in the browser, and the server behind it, on this computer alone.

`melodygru studio` serves both under a secret prefix; `melodygru.studio.guard` says who may ask, `melodygru.studio.app`
what can be asked, `melodygru.studio.messages` in which words. Nothing here is imported by other commands.
"""
