namespace Weft.Balancing;

/// <summary>A place that a request can be sent to. What changes while requests flow is in its <see cref="EndpointState"/>.</summary>
/// <param name="Key">Names it for life (`10.244.0.7:8080`): hashing places it by this, so the same key keeps its place when others come and go.</param>
/// <param name="Weight">Share of the requests against the others, 1 to 65,535.</param>
/// <param name="Priority">0 is asked first; a higher number only when lower ones are not healthy enough.</param>
public sealed record Endpoint(string Key, int Weight = 1, Locality Locality = default, int Priority = 0)
{
    public const int MaxWeight = 65_535;
}

/// <summary>Where an endpoint runs, from coarse to fine; empty parts are unknown.</summary>
public readonly record struct Locality(string? Region, string? Zone, string? Subzone)
{
    /// <summary>How many parts are the same from the coarse end on: 0 (elsewhere) to 3 (same subzone). Unknown parts match nothing.</summary>
    public int Nearness(in Locality other)
    {
        if (string.IsNullOrEmpty(Region) || Region != other.Region)
            return 0;
        if (string.IsNullOrEmpty(Zone) || Zone != other.Zone)
            return 1;
        return string.IsNullOrEmpty(Subzone) || Subzone != other.Subzone ? 2 : 3;
    }
}
