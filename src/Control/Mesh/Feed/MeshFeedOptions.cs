using Weft.Control.Mesh.Inputs;

namespace Weft.Control.Mesh.Feed;

public sealed record MeshFeedOptions
{
    public MeshSettings Settings { get; init; } = new();

    /// <summary>Further hosts; null: there are none.</summary>
    public IHostSource? Hosts { get; init; }

    /// <summary>False: no pod is in the mesh, whatever it says.</summary>
    public bool IsOn { get; init; } = true;

    /// <summary>Told of each snapshot when it is published, on the feed's own thread; what fails there is tried again with the next.</summary>
    public Action<MeshSnapshot>? Compiled { get; init; }
}
