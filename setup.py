"""The native extensions; everything else about the distribution is in ``pyproject.toml``.

They are optional: where they cannot be built the package installs without them, and ``tenure.implementation``
then says ``"pure"``.
"""

from glob import glob

from setuptools import Extension, setup

WARNINGS = ["-Wall", "-Wextra", "-Werror", "-std=c11", "-D_GNU_SOURCE"]

setup(
    ext_modules=[
        Extension(
            "tenure.pipeline._native",
            sorted(glob("native/pipeline/*.c")),
            depends=sorted(glob("native/pipeline/*.h")),
            extra_compile_args=WARNINGS,
            libraries=["dl"],
            optional=True,
        ),
    ]
)
