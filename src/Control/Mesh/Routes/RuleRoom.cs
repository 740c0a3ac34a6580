using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;

namespace Weft.Control.Mesh.Routes;

/// <summary>Room for a virtual service's rules in one table, as it fills: what does not fit is refused before it is read.</summary>
/// <param name="most">Rules, as <see cref="RuleLimits"/> counts them.</param>
/// <param name="inMesh">Of a table for clients in the mesh.</param>
internal sealed class RuleRoom(VirtualService rules, int most, bool inMesh)
{
    private long _left = (long)most * RuleLimits.Parts;

    /// <summary>Something did not fit, and nothing after it does.</summary>
    public bool IsOver => _left < 0;

    // Of more matches than would fit it is not asked for whom they are.
    public bool Takes(HTTPRoute route, Problems problems, string field) => Takes(route.Match.Count > _left ? route.Match.Count : RuleLimits.Of(route, inMesh), problems, field);

    /// <returns>False: there is no room, which is said.</returns>
    public bool Takes(long parts, Problems problems, string field)
    {
        if (!Fits(parts, problems, field))
            return false;
        _left -= parts;
        return true;
    }

    /// <summary>Likewise, of what may turn out to be less.</summary>
    public bool Fits(long parts, Problems problems, string field)
    {
        if (parts <= _left)
            return true;
        _left = -1;
        problems.Error(field, RuleLimits.Why(rules, most));
        return false;
    }
}
