using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>Where traffic comes in: ports of an address, served by the controller of a class.</summary>
[Kind(Names.Group, "v1", "Gateway", ShortNames = ["gtw"], Categories = ["gateway-api"], OlderVersions = ["v1beta1"], DefinitionPrefix = Names.Definitions)]
public sealed record Gateway : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Whose, and which ports.</summary>
    [Must] public GatewaySpec Spec { get; init; } = new();

    /// <summary>What the controller says.</summary>
    [Default($$"""{"conditions":[{{Names.Accepted}},{{Names.Programmed}}]}""")] public GatewayStatus Status { get; init; } = new();
}

/// <summary>Whose, and which ports.</summary>
public sealed record GatewaySpec
{
    /// <summary>The GatewayClass.</summary>
    [Must, Length(1, 253)] public string GatewayClassName { get; init; } = "";

    /// <summary>The ports, with their protocol and host.</summary>
    [Must, List(ListType.Map, "name"), Count(1, 64)]
    [Rule("self.all(l, !(l.protocol in ['HTTP', 'TCP', 'UDP']) || !has(l.tls))", "tls is not for the protocols HTTP, TCP and UDP")]
    [Rule("self.all(l, l.protocol != 'HTTPS' || !has(l.tls) || l.tls.mode == 'Terminate')", "with the protocol HTTPS the mode of tls is Terminate")]
    [Rule("self.all(l, !(l.protocol in ['TCP', 'UDP']) || !has(l.hostname))", "hostname is not for the protocols TCP and UDP")]
    [Rule("self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && (has(l1.hostname) ? l1.hostname : '') == (has(l2.hostname) ? l2.hostname : '')))", "port, protocol and hostname are together unique")]
    public IReadOnlyList<Listener> Listeners { get; init; } = [];

    /// <summary>Addresses that are asked for.</summary>
    [Count(0, 16)] public IReadOnlyList<GatewayAddress> Addresses { get; init; } = [];

    /// <summary>Of what the controller makes for the Gateway.</summary>
    public GatewayInfrastructure? Infrastructure { get; init; }

    /// <summary>Whose ListenerSets may add listeners.</summary>
    public AllowedListeners? AllowedListeners { get; init; }

    /// <summary>TLS of all listeners, and towards the backends.</summary>
    public GatewayTls? Tls { get; init; }
}

/// <summary>A port, with its protocol and host.</summary>
public sealed record Listener
{
    /// <summary>By which routes name it.</summary>
    [Must, Length(1, 253), Pattern(Names.Section)] public string Name { get; init; } = "";

    /// <summary>Which hosts; all when absent.</summary>
    [Length(1, 253), Pattern(Names.Hosts)] public string? Hostname { get; init; }

    /// <summary>The port.</summary>
    [Must, RangeOf(1, 65535)] public int Port { get; init; }

    /// <summary>HTTP, HTTPS, TLS, TCP, UDP, or a controller's own, with its domain.</summary>
    [Must, Length(1, 255), Pattern(@"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[A-Za-z0-9]+$")] public string Protocol { get; init; } = "";

    /// <summary>Of the protocols HTTPS and TLS.</summary>
    public ListenerTls? Tls { get; init; }

    /// <summary>Which routes may be attached.</summary>
    [Default("""{"namespaces":{"from":"Same"}}""")] public AllowedRoutes? AllowedRoutes { get; init; }
}

/// <summary>Certificates of a listener.</summary>
[Rule("self.mode != 'Terminate' || (has(self.certificateRefs) && self.certificateRefs.size() > 0) || (has(self.options) && self.options.size() > 0)", "the mode Terminate needs certificateRefs or options")]
public sealed record ListenerTls
{
    /// <summary>Terminate: TLS ends at the Gateway; Passthrough: at the backend.</summary>
    [OneOf("Terminate", "Passthrough"), Default("\"Terminate\"")] public string? Mode { get; init; }

    /// <summary>Secrets with a certificate and its key.</summary>
    [Count(0, 64)] public IReadOnlyList<SecretReference> CertificateRefs { get; init; } = [];

    /// <summary>More settings in the controller's own form.</summary>
    [Count(0, 16), Length(0, 4096)] public IReadOnlyDictionary<string, string> Options { get; init; } = Empty.Strings;
}

/// <summary>Which routes may be attached.</summary>
public sealed record AllowedRoutes
{
    /// <summary>Of which namespaces.</summary>
    [Default("""{"from":"Same"}""")] public RouteNamespaces? Namespaces { get; init; }

    /// <summary>Of which kinds; those of the protocol when empty.</summary>
    [Count(0, 8)] public IReadOnlyList<RouteKind> Kinds { get; init; } = [];
}

/// <summary>Namespaces of routes.</summary>
public sealed record RouteNamespaces
{
    /// <summary>All, those of the selector, the Gateway's own, or none.</summary>
    [OneOf("All", "Selector", "Same", "None"), Default("\"Same\"")] public string? From { get; init; }

    /// <summary>Namespaces by label.</summary>
    public LabelSelector? Selector { get; init; }
}

/// <summary>A kind of route.</summary>
public sealed record RouteKind
{
    /// <summary>Its group.</summary>
    [Length(0, 253), Pattern(Names.ApiGroup), Default("\"gateway.networking.k8s.io\"")] public string? Group { get; init; }

    /// <summary>Its kind.</summary>
    [Must, Length(1, 63), Pattern(Names.ApiKind)] public string Kind { get; init; } = "";
}

/// <summary>An address.</summary>
public sealed record GatewayAddress
{
    /// <summary>IPAddress, Hostname, or a controller's own, with its domain.</summary>
    [Length(1, 253), Default("\"IPAddress\"")] public string? Type { get; init; }

    /// <summary>The address; any when absent.</summary>
    [Length(0, 253)] public string? Value { get; init; }
}

/// <summary>Of what the controller makes for a Gateway.</summary>
public sealed record GatewayInfrastructure
{
    /// <summary>Labels of it.</summary>
    [Count(0, 8), Length(0, 63)] public IReadOnlyDictionary<string, string> Labels { get; init; } = Empty.Strings;

    /// <summary>Annotations of it.</summary>
    [Count(0, 8), Length(0, 4096)] public IReadOnlyDictionary<string, string> Annotations { get; init; } = Empty.Strings;

    /// <summary>Settings in the controller's own form.</summary>
    public LocalObjectReference? ParametersRef { get; init; }
}

/// <summary>Whose ListenerSets may add listeners.</summary>
public sealed record AllowedListeners
{
    /// <summary>Of which namespaces.</summary>
    [Default("""{"from":"None"}""")] public ListenerNamespaces? Namespaces { get; init; }
}

/// <summary>Namespaces of ListenerSets.</summary>
public sealed record ListenerNamespaces
{
    /// <summary>All, those of the selector, the Gateway's own, or none.</summary>
    [OneOf("All", "Selector", "Same", "None"), Default("\"None\"")] public string? From { get; init; }

    /// <summary>Namespaces by label.</summary>
    public LabelSelector? Selector { get; init; }
}
