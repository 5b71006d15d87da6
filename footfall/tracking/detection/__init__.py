"""What a user agent and its client hints say: browser, system, device, or that it is a bot.

The regular expressions and the lists of names are those of the package device_detector, which ships the reference's
own data; the rules that combine them are the reference's, which that package changes in places (it names apps that
the reference does not, and decides engines and brands otherwise). Held against the user agents that the package ships
with the reference's answers (tests/unit/test_device_detection.py).

Pure: no database, no clock. `footfall.tracking.devices` keeps and shares the results.
"""
