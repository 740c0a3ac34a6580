namespace Weft.Api;

/// <summary>A list answer in typed form: PodList and the like.</summary>
public sealed record ObjectList<T>
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ListMeta Metadata { get; init; } = new();
    public IReadOnlyList<T> Items { get; init; } = [];
}
