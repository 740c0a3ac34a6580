namespace Weft.Storage;

/// <summary>The store cannot be opened. The message says why and what to do.</summary>
public sealed class StoreOpenException(string message, Exception? cause = null) : Exception(message, cause);
