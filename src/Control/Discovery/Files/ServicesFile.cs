using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Weft.Control.Discovery.Dns;
using Weft.Control.Discovery.Http;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;
using Weft.Proxy.Config.Model;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Weft.Control.Discovery.Files;

/// <param name="Line">From 1.</param>
/// <param name="Field">`services.orders.endpoints[0].port`.</param>
public sealed record ServicesFileError(long Line, string Field, string Message)
{
    public override string ToString() => Field.Length > 0 ? $"line {Line}: {Field} {Message}" : $"line {Line}: {Message}";
}

/// <param name="Names">With their entries.</param>
/// <param name="Dns">Services that DNS is asked for.</param>
public sealed record ServicesFileContent(ImmutableSortedDictionary<string, Projection> Names, ImmutableSortedDictionary<string, DnsService> Dns, ImmutableArray<ServicesFileError> Errors);

/// <summary>
/// The services file: names and where they are, written by hand. Every error is reported with its line; a file with an error gives nothing, so that what was before stays.
/// The format stands in docs/guide/discovery.md.
/// </summary>
public static class ServicesFile
{
    // 10,000 endpoints of a hundred bytes, and room for comments.
    public const int MaxBytes = 4 * 1024 * 1024;

    private const int MaxEndpoints = 10_000, MaxDepth = 16, MaxErrors = 100;

    /// <returns>Empty, but for the errors, when there are any.</returns>
    public static ServicesFileContent Parse(string text, string fileName, DateTimeOffset since)
    {
        var reader = new Reader(fileName, since);
        var names = ImmutableSortedDictionary.CreateBuilder<string, Projection>(StringComparer.OrdinalIgnoreCase);
        var dns = ImmutableSortedDictionary.CreateBuilder<string, DnsService>(StringComparer.OrdinalIgnoreCase);
        try
        {
            CheckDepth(text);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count > 1)
                reader.Error(stream.Documents[1].RootNode, "", "there is a second document; a services file is one");
            else if (stream.Documents.Count == 1)
                reader.Root(stream.Documents[0].RootNode, names, dns);
        }
        catch (YamlException bad)
        {
            reader.Errors.Add(new(bad.Start.Line, "", $"is not YAML: {bad.Message}"));
        }

        return reader.Errors.Count == 0 ? new(names.ToImmutable(), dns.ToImmutable(), []) : new(names.ToImmutable().Clear(), dns.ToImmutable().Clear(), [.. reader.Errors.OrderBy(error => error.Line)]);
    }

    // The tree is built by recursion: how deep it goes is looked at before.
    private static void CheckDepth(string text)
    {
        var parser = new Parser(new StringReader(text));
        for (var depth = 0; parser.MoveNext();)
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaxDepth)
                throw new YamlException(parser.Current.Start, parser.Current.End, $"nested deeper than {MaxDepth} levels");
        }
    }

    private sealed class Reader(string fileName, DateTimeOffset since)
    {
        private int _endpoints;

        public List<ServicesFileError> Errors { get; } = [];

        public void Root(YamlNode root, ImmutableSortedDictionary<string, Projection>.Builder names, ImmutableSortedDictionary<string, DnsService>.Builder dns)
        {
            if (root is YamlScalarNode { Value: null or "" })
                return;
            foreach (var (key, value, _) in Map(root, "", ["services"]))
            {
                foreach (var (name, service, at) in Map(value, key, known: null))
                    Service(name, service, at, names, dns);
            }
        }

        private void Service(string name, YamlNode node, YamlNode head, ImmutableSortedDictionary<string, Projection>.Builder names, ImmutableSortedDictionary<string, DnsService>.Builder dns)
        {
            var at = $"services.{name}";
            if (Refused(() => Definitions.Name(name, "is empty")) is { } bad)
                Error(head, at, bad);
            else if (names.ContainsKey(name) || dns.ContainsKey(name))
                Error(head, at, "stands twice (upper and lower case are the same)");
            IReadOnlyList<string> tags = [];
            IReadOnlyDictionary<string, string> meta = ImmutableSortedDictionary<string, string>.Empty;
            var endpoints = new List<Instance>();
            var hasEndpoints = false;
            (DnsDiscovery Question, TimeSpan Keep)? asked = null;
            foreach (var (key, value, _) in Map(node, at, ["tags", "meta", "protocol", "endpoints", "dns"]))
            {
                switch (key)
                {
                    case "tags":
                        tags = Texts(value, $"{at}.tags");
                        break;
                    case "meta":
                        meta = meta.Concat(Map(value, $"{at}.meta", known: null).Select(pair => KeyValuePair.Create(pair.Key, Text(pair.Value, $"{at}.meta.{pair.Key}")))).ToImmutableSortedDictionary(StringComparer.Ordinal);
                        if (Refused(() => Definitions.Meta(meta)) is { } badMeta)
                            Error(value, $"{at}.meta", badMeta);
                        break;
                    case "protocol":
                        if (Text(value, $"{at}.protocol") is var protocol && protocol is not ("http" or "http2" or "grpc" or "tcp" or "tls" or "https"))
                            Error(value, $"{at}.protocol", $"is '{protocol}'; http, http2, grpc, https, tls or tcp");
                        else
                            meta = meta.Append(new("protocol", protocol)).ToImmutableSortedDictionary(StringComparer.Ordinal);
                        break;
                    case "dns":
                        asked = Dns(value, $"{at}.dns");
                        break;
                    default:
                        hasEndpoints = true;
                        endpoints.AddRange(Items(value, $"{at}.endpoints").Select((item, i) => Endpoint(item, string.Create(CultureInfo.InvariantCulture, $"{at}.endpoints[{i}]"))).OfType<Instance>());
                        break;
                }
            }

            if (asked is null && !hasEndpoints)
                Error(head, $"{at}.endpoints", "is missing; write a list, [] for a name without any, or dns");
            else if (asked is not null && hasEndpoints)
                Error(head, $"{at}.dns", "stands beside endpoints; keep one");
            if ((_endpoints += endpoints.Count) > MaxEndpoints)
                Error(node, at, $"makes more than {MaxEndpoints} endpoints in the file");
            if (Errors.Count > 0)
                return;
            if (asked is (var question, var keep))
            {
                dns[name] = new($"{fileName}:{head.Start.Line}", question, keep, new() { Name = name, Tags = tags, Meta = meta });
                return;
            }

            names[name] = new($"{fileName}:{head.Start.Line}",
            [
                .. endpoints.Select(endpoint => new Entry(
                    new() { Name = fileName, Address = endpoint.Address },
                    endpoint with { Name = name, Node = fileName, Tags = [.. tags.Concat(endpoint.Tags).Distinct(StringComparer.Ordinal)], Meta = meta, Source = NameSource.File, Since = since, CreateIndex = 1, ModifyIndex = 1 }, [])),
            ]);
        }

        private (DnsDiscovery Question, TimeSpan Keep) Dns(YamlNode node, string at)
        {
            var (srv, host, port, keep, refresh) = ((string?)null, (string?)null, 0, DnsService.DefaultKeep, new DnsDiscovery("").Refresh);
            IReadOnlyList<string> servers = [];
            foreach (var (key, value, _) in Map(node, at, ["srv", "name", "port", "servers", "refresh", "keep"]))
            {
                switch (key)
                {
                    case "srv":
                        srv = Question(value, $"{at}.srv");
                        break;
                    case "name":
                        host = Question(value, $"{at}.name");
                        break;
                    case "port":
                        port = Number(value, $"{at}.port", 65535);
                        break;
                    case "servers":
                        servers = Texts(value, $"{at}.servers");
                        foreach (var (i, server) in servers.Index().Where(one => !IPEndPoint.TryParse(one.Item, out _)))
                            Error(value, string.Create(CultureInfo.InvariantCulture, $"{at}.servers[{i}]"), $"is '{server}'; the address of a server, 10.0.0.53 or 10.0.0.53:5353");
                        break;
                    case "refresh":
                        refresh = Duration(value, $"{at}.refresh", TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
                        break;
                    default:
                        keep = Duration(value, $"{at}.keep", TimeSpan.FromSeconds(1), DnsService.LongestKeep);
                        break;
                }
            }

            if (srv is null == host is null)
                Error(node, at, "needs srv, the name of SRV records, or name, that of addresses, and not both");
            else if (host is not null && port == 0)
                Error(node, $"{at}.port", "is missing: addresses say none");
            else if (srv is not null && port > 0)
                Error(node, $"{at}.port", "has no effect: SRV records say it");
            return (new DnsDiscovery(srv ?? host ?? "", port) { Srv = srv is not null, Servers = [.. servers], Refresh = refresh }, keep);
        }

        // A name as DNS has it; those of SRV records begin with underscores.
        private string Question(YamlNode node, string at)
        {
            var text = Text(node, at).TrimEnd('.').ToLowerInvariant();
            if (text.Length is > 0 and <= 253 && text.Split('.').All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_')))
                return text;
            Error(node, at, $"is '{text}'; a whole name such as _orders._tcp.example.com");
            return "";
        }

        private TimeSpan Duration(YamlNode node, string at, TimeSpan least, TimeSpan most)
        {
            if (GoDuration.Parse(Text(node, at)) is { } duration && duration >= least && duration <= most)
                return duration;
            Error(node, at, $"is no duration from {least.TotalSeconds:0}s to {most.TotalHours:0}h");
            return least;
        }

        private Instance? Endpoint(YamlNode node, string at)
        {
            var (host, port, weight) = ("", 0, 1);
            IReadOnlyList<string> tags = [];
            if (node is YamlScalarNode)
            {
                var text = Text(node, at);
                try
                {
                    (host, port) = Checks.Prober.HostPort(text);
                }
                catch (FormatException)
                {
                    Error(node, at, $"is '{text}'; write ADDRESS:PORT, or address, port, weight and tags");
                    return null;
                }
            }
            else
            {
                foreach (var (key, value, _) in Map(node, at, ["address", "port", "weight", "tags"]))
                {
                    switch (key)
                    {
                        case "address":
                            host = Text(value, $"{at}.address");
                            break;
                        case "port":
                            port = Number(value, $"{at}.port", 65535);
                            break;
                        case "weight":
                            weight = Number(value, $"{at}.weight", 65535);
                            break;
                        default:
                            tags = Texts(value, $"{at}.tags");
                            break;
                    }
                }
            }

            if (host.Length == 0 && node is YamlMappingNode)
                Error(node, $"{at}.address", "is missing");
            else if (Refused(() => Definitions.Host(host, "address")) is { } bad)
                Error(node, at, bad);
            return new() { Id = string.Create(CultureInfo.InvariantCulture, $"{host}:{port}"), Address = host, Port = port, PassingWeight = weight, Tags = tags };
        }

        public void Error(YamlNode node, string field, string message)
        {
            if (Errors.Count < MaxErrors)
                Errors.Add(new(node.Start.Line, field, message));
        }

        private IEnumerable<(string Key, YamlNode Value, YamlNode Name)> Map(YamlNode node, string at, string[]? known)
        {
            if (node is not YamlMappingNode map)
            {
                Error(node, at, "is no mapping of names to values");
                yield break;
            }

            foreach (var (key, value) in map.Children)
            {
                var name = key is YamlScalarNode { Value: { } text } ? text : "";
                var field = at.Length == 0 ? name : $"{at}.{name}";
                if (known is not null && !known.Contains(name))
                    Error(key, field, $"is not known; {string.Join(", ", known)}");
                else
                    yield return (name, value, key);
            }
        }

        private IEnumerable<YamlNode> Items(YamlNode node, string at)
        {
            if (node is YamlSequenceNode list)
                return list.Children;
            Error(node, at, "is no list");
            return [];
        }

        private List<string> Texts(YamlNode node, string at) => [.. Items(node, at).Select((item, i) => Text(item, string.Create(CultureInfo.InvariantCulture, $"{at}[{i}]")))];

        private string Text(YamlNode node, string at)
        {
            if (node is YamlScalarNode { Value: { Length: > 0 and <= 512 } text } && !text.Any(char.IsControl))
                return text;
            Error(node, at, "is no text of 1 to 512 characters");
            return "";
        }

        private int Number(YamlNode node, string at, int most)
        {
            if (node is YamlScalarNode { Value: { } text } && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most)
                return number;
            Error(node, at, $"is no number from 1 to {most}");
            return 1;
        }

        private static string? Refused(Action check)
        {
            try
            {
                check();
                return null;
            }
            catch (RegistryException bad)
            {
                return bad.Message;
            }
        }
    }
}
