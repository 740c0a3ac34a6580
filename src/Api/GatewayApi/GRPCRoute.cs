using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>Where calls of gRPC go.</summary>
[Kind(Names.Group, "v1", "GRPCRoute", Categories = ["gateway-api"], DefinitionPrefix = Names.Definitions)]
public sealed record GRPCRoute : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Which calls, and where they go.</summary>
    public GRPCRouteSpec? Spec { get; init; }

    /// <summary>What the parents' controllers say.</summary>
    public RouteStatus Status { get; init; } = new();
}

/// <summary>Which calls, and where they go.</summary>
public sealed record GRPCRouteSpec
{
    /// <summary>Gateways or Services that the route is attached to.</summary>
    [Count(0, 32), Rule(ParentRules.Unique, ParentRules.UniqueMessage)] public IReadOnlyList<ParentReference> ParentRefs { get; init; } = [];

    /// <summary>Hosts of the calls; all of the listener's when empty.</summary>
    [Count(0, 16), Length(1, 253), Pattern(Names.Hosts)] public IReadOnlyList<string> Hostnames { get; init; } = [];

    /// <summary>The rules. The most exact match wins, not the first.</summary>
    [Count(0, 16)]
    [Rule("self.all(r1, !has(r1.name) || self.exists_one(r2, has(r2.name) && r1.name == r2.name))", "names of rules are unique in a route")]
    [Rule("self.map(r, has(r.matches) ? r.matches.size() : 0).sum() <= 128", "a route has at most 128 matches in all rules")]
    public IReadOnlyList<GRPCRouteRule> Rules { get; init; } = [];
}

/// <summary>Calls that match, what is done with them and where they go.</summary>
public sealed record GRPCRouteRule
{
    /// <summary>Of the rule.</summary>
    [Length(1, 253), Pattern(Names.Section)] public string? Name { get; init; }

    /// <summary>One of them must match; every call when empty.</summary>
    [Count(0, 64)] public IReadOnlyList<GRPCRouteMatch> Matches { get; init; } = [];

    /// <summary>What is done with the calls.</summary>
    [Count(0, 16), Rule(GRPCFilterRules.Once, GRPCFilterRules.OnceMessage)] public IReadOnlyList<GRPCRouteFilter> Filters { get; init; } = [];

    /// <summary>Where they go, by weight.</summary>
    [Count(0, 16)] public IReadOnlyList<GRPCBackendReference> BackendRefs { get; init; } = [];

    /// <summary>Keeps the calls of a client at one endpoint.</summary>
    public SessionPersistence? SessionPersistence { get; init; }
}

/// <summary>All of it must match.</summary>
public sealed record GRPCRouteMatch
{
    /// <summary>The method.</summary>
    public GRPCMethodMatch? Method { get; init; }

    /// <summary>Fields of the call.</summary>
    [List(ListType.Map, "name"), Count(0, 16)] public IReadOnlyList<HeaderMatch> Headers { get; init; } = [];
}

/// <summary>A method, or all of a service.</summary>
[Rule("has(self.service) || has(self.method)", "service or method must be there")]
[Rule("self.type != 'Exact' || !has(self.service) || self.service.matches(r'^[A-Za-z_][A-Za-z_0-9]*([.][A-Za-z_][A-Za-z_0-9]*)*$')", "service is a name of a protobuf service, with its package")]
[Rule("self.type != 'Exact' || !has(self.method) || self.method.matches(r'^[A-Za-z_][A-Za-z_0-9]*$')", "method is a name of a protobuf method")]
public sealed record GRPCMethodMatch
{
    /// <summary>How they are compared.</summary>
    [OneOf("Exact", "RegularExpression"), Default("\"Exact\"")] public string? Type { get; init; }

    /// <summary>The service, with its package.</summary>
    [Length(0, 1024)] public string? Service { get; init; }

    /// <summary>The method.</summary>
    [Length(0, 1024)] public string? Method { get; init; }
}

/// <summary>Something that is done with calls: the member of the type's name says what.</summary>
[Rule("has(self.requestHeaderModifier) == (self.type == 'RequestHeaderModifier')", "requestHeaderModifier is for the type RequestHeaderModifier, which needs it")]
[Rule("has(self.responseHeaderModifier) == (self.type == 'ResponseHeaderModifier')", "responseHeaderModifier is for the type ResponseHeaderModifier, which needs it")]
[Rule("has(self.requestMirror) == (self.type == 'RequestMirror')", "requestMirror is for the type RequestMirror, which needs it")]
[Rule("has(self.extensionRef) == (self.type == 'ExtensionRef')", "extensionRef is for the type ExtensionRef, which needs it")]
public sealed record GRPCRouteFilter
{
    /// <summary>What is done.</summary>
    [Must, OneOf("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "ExtensionRef")] public string Type { get; init; } = "";

    /// <summary>Changes fields of the call.</summary>
    public HeaderFilter? RequestHeaderModifier { get; init; }

    /// <summary>Changes fields of the answer.</summary>
    public HeaderFilter? ResponseHeaderModifier { get; init; }

    /// <summary>Sends a copy elsewhere.</summary>
    public MirrorFilter? RequestMirror { get; init; }

    /// <summary>Something of the controller's own.</summary>
    public LocalObjectReference? ExtensionRef { get; init; }
}

/// <summary>A backend, and what is done with the calls that go there.</summary>
[Rule(BackendRules.Port, BackendRules.PortMessage)]
public sealed record GRPCBackendReference
{
    /// <summary>Group of the backend; empty for the core one.</summary>
    [Length(0, 253), Pattern(Names.ApiGroup), Default("\"\"")] public string? Group { get; init; }

    /// <summary>Its kind.</summary>
    [Length(1, 63), Pattern(Names.ApiKind), Default("\"Service\"")] public string? Kind { get; init; }

    /// <summary>Its name.</summary>
    [Must, Length(1, 253)] public string Name { get; init; } = "";

    /// <summary>The route's own when absent; for another one a ReferenceGrant there must allow it.</summary>
    [Length(1, 63), Pattern(Names.Namespace)] public string? Namespace { get; init; }

    /// <summary>Port of the Service.</summary>
    [RangeOf(1, 65535)] public int? Port { get; init; }

    /// <summary>Its share, against the sum of all.</summary>
    [RangeOf(0, 1_000_000), Default("1")] public int? Weight { get; init; }

    /// <summary>What is done with the calls.</summary>
    [Count(0, 16), Rule(GRPCFilterRules.Once, GRPCFilterRules.OnceMessage)] public IReadOnlyList<GRPCRouteFilter> Filters { get; init; } = [];
}

/// <summary>What holds of every list of filters.</summary>
internal static class GRPCFilterRules
{
    public const string Once = "['RequestHeaderModifier', 'ResponseHeaderModifier'].all(t, self.filter(f, f.type == t).size() <= 1)";
    public const string OnceMessage = "only RequestMirror and ExtensionRef may be there more than once";
}
