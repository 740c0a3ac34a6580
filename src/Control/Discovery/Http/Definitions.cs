using System.Text.RegularExpressions;
using Weft.Control.Discovery.Checks;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>From bodies to instances and checks, with every limit of what a client may write.</summary>
internal static partial class Definitions
{
    // Consul's limits of metadata; the others keep one instance below what a unit of the proxies' configuration can carry.
    private const int MaxMeta = 64, MaxMetaKey = 128, MaxMetaValue = 512, MaxTags = 64, MaxText = 256, MaxChecks = 32, MaxNotes = 4096;

    // Consul's least interval, and least time until an instance goes.
    private static readonly TimeSpan LeastInterval = TimeSpan.FromSeconds(1), LeastRemoval = TimeSpan.FromMinutes(1);

    private static readonly string[] Unserved = ["UDP", "H2PING", "OSService", "AliasService", "AliasNode"];

    /// <param name="caller">Address of a caller elsewhere than on this machine, who did not say where the instance is; null: it is where the node is.</param>
    public static Instance Instance(BodyReader body, string node, string? caller)
    {
        var name = Name(body.Text("Name", "Service"), "Missing service name");
        var id = body.Text("ID");
        var weights = body.Object("Weights");
        return new Instance
        {
            Node = node, Name = name, Id = id.Length == 0 ? name : Text(id, "ID"),
            Address = Host(body.Text("Address"), "Address") is { Length: > 0 } address ? address : caller ?? "",
            Port = body.Number(0, 65535, 0, "Port"),
            Tags = Tags(body), Meta = Meta(body.Map("Meta")),
            TaggedAddresses = Tagged(body),
            PassingWeight = weights?.Number(1, 65535, 1, "Passing") ?? 1, WarningWeight = weights?.Number(0, 65535, 1, "Warning") ?? 1,
            EnableTagOverride = body.Flag("EnableTagOverride"),
        };
    }

    /// <summary>`Check` and `Checks` of a registration.</summary>
    public static IReadOnlyList<Check> Checks(BodyReader body, Instance instance)
    {
        var bodies = new List<BodyReader>();
        if (body.Object("Check") is { } one)
            bodies.Add(one);
        bodies.AddRange(body.List("Checks"));
        if (bodies.Count > MaxChecks)
            throw new RegistryException(400, $"Invalid check: a service has at most {MaxChecks} of them, this one {bodies.Count}");
        return [.. bodies.Select((check, i) => Check(check, instance.Node, instance.Id,
            id: bodies.Count == 1 ? $"service:{instance.Id}" : $"service:{instance.Id}:{i + 1}", name: $"Service '{instance.Name}' check"))];
    }

    /// <param name="id">When the body has none.</param>
    public static Check Check(BodyReader body, string node, string serviceId, string? id = null, string? name = null)
    {
        var own = body.Text("CheckID", "ID");
        var label = body.Text("Name");
        if (label.Length == 0)
            label = name ?? "";
        if (own.Length == 0)
            own = id ?? label;
        if (label.Length == 0)
            throw new RegistryException(400, "Missing check name");
        return new Check
        {
            Node = node, Id = Text(own, "CheckID"), Name = Text(label, "Name"), ServiceId = serviceId, Notes = Long(body.Text("Notes"), "Notes"),
            Definition = Definition(body), Status = Status(body.Text("Status")), Output = "",
        };
    }

    /// <summary>A check that somebody else makes: as the catalog's paths take it.</summary>
    public static Check External(BodyReader body, string node)
    {
        var id = body.Text("CheckID", "ID");
        var name = body.Text("Name");
        if (id.Length == 0 && name.Length == 0)
            throw new RegistryException(400, "Missing check name");
        return new Check
        {
            Node = node, Id = Text(id.Length > 0 ? id : name, "CheckID"), Name = name.Length == 0 ? id : Text(name, "Name"), ServiceId = body.Text("ServiceID"),
            Notes = Long(body.Text("Notes"), "Notes"), Status = Status(body.Text("Status")), Output = Long(body.Text("Output"), "Output"),
        };
    }

    public static CheckStatus Status(string text) => text.ToLowerInvariant() switch
    {
        "" or "critical" => CheckStatus.Critical,
        "passing" or "pass" => CheckStatus.Passing,
        "warning" or "warn" => CheckStatus.Warning,
        _ => throw new RegistryException(400, $"Invalid check status: '{text}'; passing, warning or critical"),
    };

    public static string Name(string text, string missing)
    {
        if (text.Length == 0)
            throw new RegistryException(400, missing);
        if (text.Length > MaxText || !PlainText().IsMatch(text))
            throw new RegistryException(400, $"Invalid service name '{(text.Length > MaxText ? text[..MaxText] : text)}': up to {MaxText} letters, digits, '-', '_' and '.'");
        // What DNS cannot say can still be asked over HTTP, as in Consul.
        return text;
    }

    public static string Text(string text, string field) => text.Length is > 0 and <= MaxText && !text.Any(char.IsControl)
        ? text
        : throw new RegistryException(400, $"Invalid {field}: 1 to {MaxText} characters, none of them a control character");

    /// <summary>An IP address or a host name; empty is allowed.</summary>
    public static string Host(string text, string field) => text.Length == 0 || System.Net.IPAddress.TryParse(text, out _) || (text.Length <= 253 && HostName().IsMatch(text))
        ? text is "0.0.0.0" or "::" ? throw new RegistryException(400, $"Invalid {field}: '{text}' is no address that somebody can connect to") : text
        : throw new RegistryException(400, $"Invalid {field}: '{(text.Length > 253 ? text[..253] : text)}' is neither an IP address nor a host name");

    private static string Long(string text, string field) => text.Length <= MaxNotes ? text : throw new RegistryException(400, $"Invalid {field}: more than {MaxNotes} characters");

    private static CheckDefinition? Definition(BodyReader body)
    {
        if (body.Texts("Args", "ScriptArgs").Count > 0 || body.Text("Script").Length > 0 || body.Text("DockerContainerID").Length > 0)
            throw new RegistryException(400, "Scripts are disabled on this agent: use a TTL, HTTP, TCP or gRPC check");
        if (Array.Find(Unserved, kind => body.Text(kind).Length > 0) is { } unserved)
            throw new RegistryException(400, $"Invalid check: {unserved}: this kind of check is not served; use a TTL, HTTP, TCP or gRPC check");
        var (ttl, http, tcp, grpc) = (body.Duration("TTL"), body.Text("HTTP"), body.Text("TCP"), body.Text("GRPC"));
        var kinds = (ttl > TimeSpan.Zero ? 1 : 0) + (http.Length > 0 ? 1 : 0) + (tcp.Length > 0 ? 1 : 0) + (grpc.Length > 0 ? 1 : 0);
        if (kinds != 1)
            throw new RegistryException(400, kinds == 0 ? "Invalid check: TTL must be > 0 for TTL checks, or HTTP, TCP or GRPC be set" : "Invalid check: only one of TTL, HTTP, TCP and GRPC may be set");
        var interval = body.Duration("Interval") ?? TimeSpan.Zero;
        if (ttl is null && interval <= TimeSpan.Zero)
            throw new RegistryException(400, "Invalid check: Interval must be > 0 for HTTP, TCP, or GRPC checks");
        if (http.Length > 0 && !(Uri.TryCreate(http, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
            throw new RegistryException(400, $"Invalid check: HTTP '{http}' is no URL that begins with http:// or https://");
        foreach (var target in new[] { tcp, grpc.Split('/')[0] }.Where(target => target.Length > 0))
        {
            try
            {
                Prober.HostPort(target);
            }
            catch (FormatException bad)
            {
                throw new RegistryException(400, $"Invalid check: {bad.Message}");
            }
        }

        var method = body.Text("Method");
        var timeout = body.Duration("Timeout") ?? CheckDefinition.DefaultTimeout;
        var removal = body.Duration("DeregisterCriticalServiceAfter");
        return new CheckDefinition
        {
            Ttl = ttl > TimeSpan.Zero ? ttl : null, Http = Null(http), Tcp = Null(tcp), Grpc = Null(grpc), GrpcUseTls = body.Flag("GRPCUseTLS"),
            Method = method.Length == 0 ? "GET" : method.All(char.IsAsciiLetter) && method.Length < 20 ? method : throw new RegistryException(400, $"Invalid check: Method '{method}'"),
            Headers = body.Lists("Header"), Body = Long(body.Text("Body"), "Body"), TlsSkipVerify = body.Flag("TLSSkipVerify"),
            Interval = ttl is null && interval < LeastInterval ? LeastInterval : interval,
            Timeout = timeout <= TimeSpan.Zero ? CheckDefinition.DefaultTimeout : timeout,
            DeregisterAfter = removal is null || removal == TimeSpan.Zero ? null : removal < LeastRemoval ? LeastRemoval : removal,
            SuccessBeforePassing = body.Number(0, 1000, 0, "SuccessBeforePassing"), FailuresBeforeCritical = body.Number(0, 1000, 0, "FailuresBeforeCritical"),
        };
    }

    private static IReadOnlyList<string> Tags(BodyReader body)
    {
        var tags = body.Texts("Tags");
        if (tags.Count > MaxTags || tags.Any(tag => tag.Length > MaxText || tag.Any(char.IsControl)))
            throw new RegistryException(400, $"Invalid Tags: at most {MaxTags} of up to {MaxText} characters");
        return tags;
    }

    public static IReadOnlyDictionary<string, string> Meta(IReadOnlyDictionary<string, string> meta)
    {
        if (meta.Count > MaxMeta)
            throw new RegistryException(400, $"Invalid Service Meta: Node metadata cannot contain more than {MaxMeta} key/value pairs");
        foreach (var (key, value) in meta)
        {
            if (key.Length is 0 or > MaxMetaKey || !MetaKey().IsMatch(key) || value.Length > MaxMetaValue)
                throw new RegistryException(400, $"Invalid Service Meta: couldn't load metadata pair ('{(key.Length > MaxMetaKey ? key[..MaxMetaKey] : key)}'): keys have up to {MaxMetaKey} letters, digits, '-' and '_', values up to {MaxMetaValue} characters");
        }

        return meta;
    }

    private static SortedDictionary<string, TaggedAddress> Tagged(BodyReader body)
    {
        var read = new SortedDictionary<string, TaggedAddress>(StringComparer.Ordinal);
        foreach (var (name, at) in body.Objects("TaggedAddresses").Take(16))
            read[Text(name, "TaggedAddresses")] = new(Host(at.Text("Address"), "TaggedAddresses"), at.Number(0, 65535, 0, "Port"));
        return read;
    }

    private static string? Null(string text) => text.Length == 0 ? null : text;

    [GeneratedRegex("^[A-Za-z0-9._-]+$", RegexOptions.NonBacktracking)]
    private static partial Regex PlainText();

    [GeneratedRegex("^[A-Za-z0-9_-]+$", RegexOptions.NonBacktracking)]
    private static partial Regex MetaKey();

    [GeneratedRegex("^[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9.])?$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex HostName();
}
