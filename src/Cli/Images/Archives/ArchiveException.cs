namespace Weft.Cli.Images.Archives;

/// <summary>An image file that cannot be used; the sentence says why.</summary>
public sealed class ArchiveException(string message) : Exception(message);
