using Weft.Control.FrontDoor;
using Weft.Control.Mesh.Inputs;

namespace Weft.Control.Mesh.Feed;

public sealed record MeshFeedOptions
{
    public MeshSettings Settings { get; init; } = new();

    /// <summary>Hears of each compilation; null: there is no front door.</summary>
    public FrontDoorBoard? Door { get; init; }

    /// <summary>False: no pod is in the mesh, whatever it says.</summary>
    public bool IsOn { get; init; } = true;
}
