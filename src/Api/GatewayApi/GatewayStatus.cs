using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>What the controller of a Gateway says.</summary>
public sealed record GatewayStatus
{
    /// <summary>The addresses that it has.</summary>
    [Count(0, 16)] public IReadOnlyList<GatewayAddress> Addresses { get; init; } = [];

    /// <summary>Accepted: the controller has taken it; Programmed: it is served.</summary>
    [List(ListType.Map, "type"), Count(0, 8), Default($"[{Names.Accepted},{Names.Programmed}]")] public IReadOnlyList<Condition> Conditions { get; init; } = [];

    /// <summary>Of each listener.</summary>
    [List(ListType.Map, "name"), Count(0, 64)] public IReadOnlyList<ListenerStatus> Listeners { get; init; } = [];

    /// <summary>ListenerSets that have added listeners.</summary>
    public int? AttachedListenerSets { get; init; }
}

/// <summary>Of one listener.</summary>
public sealed record ListenerStatus
{
    /// <summary>Its name.</summary>
    [Must, Length(1, 253), Pattern(Names.Section)] public string Name { get; init; } = "";

    /// <summary>Kinds of routes that it takes.</summary>
    [Count(0, 8)] public IReadOnlyList<RouteKind> SupportedKinds { get; init; } = [];

    /// <summary>How many routes are attached.</summary>
    [Must] public int AttachedRoutes { get; init; }

    /// <summary>Accepted, Programmed, ResolvedRefs, Conflicted and others.</summary>
    [Must, List(ListType.Map, "type"), Count(0, 8)] public IReadOnlyList<Condition> Conditions { get; init; } = [];
}
