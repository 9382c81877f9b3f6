"""The native extensions; everything else about the distribution is in ``pyproject.toml``.

They are optional: where they cannot be built the package installs without them, and ``tenure.implementation``
then says ``"pure"``.
"""

from setuptools import setup

setup(ext_modules=[])
