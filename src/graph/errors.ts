/** Base class of every error that tiller throws on purpose. Messages read `[op] what is wrong: the values (what was expected)`. */
export class TillerError extends Error {
  override name = 'TillerError';
}

/** Shapes, ranks or axes do not fit the operation. */
export class ShapeError extends TillerError {
  override name = 'ShapeError';
}

/** A dtype does not fit the operation. */
export class DTypeError extends TillerError {
  override name = 'DTypeError';
}

/** An argument that is neither a shape nor a dtype is out of its domain. */
export class ArgumentError extends TillerError {
  override name = 'ArgumentError';
}

/** A tensor was used whose storage is gone: its parameter was updated, it was disposed, or it escaped a trace. */
export class StaleTensorError extends TillerError {
  override name = 'StaleTensorError';
}

/** The device went away; everything that was pending on it rejects with this error. */
export class DeviceLostError extends TillerError {
  override name = 'DeviceLostError';
}

/** No engine of the requested kind can be made on this machine; says what was looked for and what to install. */
export class EngineUnavailableError extends TillerError {
  override name = 'EngineUnavailableError';
}

/** The engine refused or failed a program (validation, compilation, an uncaptured device error). */
export class EngineError extends TillerError {
  override name = 'EngineError';
}

/** Memory would exceed what the engine or the byte budget allows. */
export class OutOfMemoryError extends TillerError {
  override name = 'OutOfMemoryError';
}

/** A file or buffer from outside is malformed. */
export class FormatError extends TillerError {
  override name = 'FormatError';
}

/** tiller does not do this (yet); the documentation lists it. */
export class UnsupportedError extends TillerError {
  override name = 'UnsupportedError';
}

/** An invariant of tiller itself is broken: please report it. */
export class InternalError extends TillerError {
  override name = 'InternalError';
}
