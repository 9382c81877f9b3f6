"""The native extensions; everything else about the distribution is in ``pyproject.toml``.

They are optional: where they cannot be built the package installs without them, and ``tenure.implementation``
then says ``"pure"``.
"""

import os
from glob import glob

from setuptools import Extension, setup

#: ``TENURE_CFLAGS`` adds to these, for a build under a sanitizer.
MORE = os.environ.get("TENURE_CFLAGS", "").split()
FLAGS = ["-Wall", "-Wextra", "-Werror", "-std=c11", "-D_GNU_SOURCE", "-O2", "-fvisibility=hidden", *MORE]

setup(
    # A folder of its own, or objects built with other flags would be taken for up to date.
    options={"build": {"build_base": os.path.join("build", "with" + "".join(MORE))}} if MORE else {},
    ext_modules=[
        Extension(
            "tenure._native",
            sorted(glob("native/*.c")),
            depends=sorted(glob("native/*.h")),
            extra_compile_args=FLAGS,
            extra_link_args=MORE,
            optional=True,
        ),
        Extension(
            "tenure.pipeline._native",
            sorted(glob("native/pipeline/*.c")),
            depends=sorted(glob("native/pipeline/*.h")),
            extra_compile_args=FLAGS,
            extra_link_args=MORE,
            libraries=["dl"],
            optional=True,
        ),
    ],
)
