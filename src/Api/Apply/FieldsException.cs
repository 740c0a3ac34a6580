namespace Weft.Api.Apply;

/// <summary>A field set that cannot be read, or a tree that cannot be split into fields (an item without its key, a list where an object belongs).</summary>
public sealed class FieldsException(string message) : Exception(message);
