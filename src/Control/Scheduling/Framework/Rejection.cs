namespace Weft.Control.Scheduling.Framework;

/// <summary>Why a plugin refuses a node: one or more reasons, worded as kubectl users know them, since tools match on these texts.</summary>
internal sealed class Rejection(params string[] reasons)
{
    public IReadOnlyList<string> Reasons => reasons;
}
