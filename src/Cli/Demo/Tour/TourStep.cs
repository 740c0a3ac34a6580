namespace Weft.Cli.Demo.Tour;

/// <summary>One thing that the mesh does: a manifest, and what is different with it.</summary>
/// <param name="Manifest">File of the objects; null: there are none.</param>
internal abstract class TourStep(string title, string? manifest)
{
    internal string Title => title;
    internal string? Manifest => manifest;

    /// <summary>What stands before the manifest is applied. Returns what to tell, or null.</summary>
    internal virtual Task<string?> BeforeAsync(TourGuide guide, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    /// <summary>What is so after every proxy serves the manifest.</summary>
    internal abstract Task<IReadOnlyList<Finding>> TryAsync(TourGuide guide, CancellationToken cancellationToken);

    /// <summary>What was promised, what was seen, and whether that is the same.</summary>
    internal sealed record Finding(bool IsSo, string Seen, string? Command = null);
}
