"""The ``.sca`` file of a run: parameters, scalars and statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

from oppflow.engine.resultfile import (
    FORMAT_VERSION,
    attribute_lines,
    header,
    line,
    number,
    open_file,
    remove_old,
    told_as_unwritable,
)
from oppflow.engine.runconfig import RunConfiguration

DEFAULT_NAME = "${resultdir}/${configname}-${iterationvarsf}#${repetition}.sca"


class ScalarFile:
    """Writes scalars as they come; the file appears with the first one.

    An earlier run's file is deleted at once, so a run that fails leaves none.

    Raises:
        EngineError: An option is malformed, or the earlier file cannot be deleted.
    """

    def __init__(self, configuration: RunConfiguration) -> None:
        self._configuration = configuration
        self._name = configuration.file_name("output-scalar-file", DEFAULT_NAME)
        self._precision = configuration.integer("output-scalar-precision", "14")
        self._file: IO[str] | None = None
        if not configuration.truth("output-scalar-file-append", default=False):
            remove_old(self._name, "old output scalar file")

    def scalar(self, path: str, name: str, value: float, attributes: Mapping[str, str]) -> None:
        """Write a scalar, unless ``**.scalar-recording`` says otherwise.

        Raises:
            EngineError: The file cannot be written.
        """
        file = self._open()
        name = name or "(unnamed)"
        if self._configuration.is_on(f"{path}.{name}", "scalar-recording"):
            file.write(line("scalar", path, name, number(value, self._precision)))
            file.write(attribute_lines(attributes))

    def statistic(
        self, path: str, name: str, fields: Mapping[str, float], attributes: Mapping[str, str]
    ) -> None:
        """Write a statistic's fields, unless ``**.scalar-recording`` says otherwise.

        Raises:
            EngineError: The file cannot be written.
        """
        file = self._open()
        if self._configuration.is_on(f"{path}.{name}", "scalar-recording"):
            file.write(line("statistic", path, name))
            for field, value in fields.items():
                file.write(line("field", field, number(value, self._precision)))
            file.write(attribute_lines(attributes))

    def parameter(self, path: str, name: str, value: str, unit: str) -> None:
        """Write a module's parameter, unless ``**.param-recording`` says otherwise.

        Raises:
            EngineError: The file cannot be written.
        """
        file = self._open()
        if self._configuration.is_on(f"{path}.{name}", "param-recording"):
            file.write(line("par", path, name, value))
            file.write(attribute_lines({"unit": unit} if unit else {}))

    def close(self) -> None:
        """End the file, if there is one.

        Raises:
            EngineError: It could not be written, because the disk is full for example.
        """
        file, self._file = self._file, None
        if file:
            with told_as_unwritable("output scalar file", self._name), file:
                file.write("\n")

    def _open(self) -> IO[str]:
        if not self._file:
            self._file = open_file(self._name, "a", "output scalar file")
            if self._file.tell() == 0:
                self._file.write(f"version {FORMAT_VERSION}\n")
            self._file.write(header(self._configuration))
        return self._file
