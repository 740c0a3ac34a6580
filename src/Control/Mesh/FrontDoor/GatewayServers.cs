using System.Net;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.FrontDoor;

internal enum ServerKind { Http, Https, Passthrough, Tcp, Tls }

/// <summary>A server of a gateway that can be used.</summary>
/// <param name="Tls">Null: none is ended here.</param>
internal sealed record GatewayServer(Gateway Gateway, Server Server, string Field, ServerKind Kind, ServerTls? Tls);

/// <summary>The servers that share a port. The oldest says what the port is; who does not fit is left out. HTTPS of all kinds and PASSTHROUGH stand side by side (<see cref="TlsOwners"/>).</summary>
internal static class GatewayServers
{
    public static List<GatewayServer> Of(int port, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var servers = new List<GatewayServer>();
        foreach (var gateway in lookups.Gateways().Where(gateway => IsSelected(gateway, lookups)))
        {
            var problems = Problems.Of(gateway, diagnostics);
            foreach (var (i, server) in gateway.Spec.Servers.Index().Where(item => item.Item.Port.Number == port))
            {
                if (Read(gateway, server, $"spec.servers[{i}]", lookups, problems) is { } read && Fits(read, servers.FirstOrDefault(), problems))
                    servers.Add(read);
            }
        }

        return servers;
    }

    public static bool IsSelected(Gateway gateway, MeshLookups lookups) => new ValueMap(gateway.Spec.Selector).IsSubsetOf(lookups.Settings.FrontDoorLabels);

    private static GatewayServer? Read(Gateway gateway, Server server, string field, MeshLookups lookups, Problems problems)
    {
        // What is beyond is left out, and of the rest nobody else needs to know how many it may be.
        if (server.Hosts.Count > Server.MostHosts)
        {
            problems.Error($"{field}.hosts[{Server.MostHosts}]", $"is one too many: a server has {Server.MostHosts} hosts at most, and the others of these {server.Hosts.Count} are left out; write a wildcard, or several servers");
            server = server with { Hosts = [.. server.Hosts.Take(Server.MostHosts)] };
        }

        var before = problems.Errors;
        var hosts = server.Hosts.Select(host => GatewayHosts.Parse(gateway, host)).ToList();
        if (hosts.Count == 0)
            problems.Error($"{field}.hosts", "is missing; '*' is for all");
        foreach (var (i, host) in hosts.Index().Where(item => !HostNames.IsHost(item.Item.Name)))
            problems.Error($"{field}.hosts[{i}]", $"'{server.Hosts[i]}' is neither a name, nor *.name, nor *, with or without namespace/ before it");
        if (server.Bind is { Length: > 0 } bind && !IPAddress.TryParse(bind, out _))
            problems.Error($"{field}.bind", $"'{bind}' is no IP address");
        problems.UnsupportedIf(server.DefaultEndpoint is not null, $"{field}.defaultEndpoint", "use a VirtualService");
        var kind = KindOf(server, field, problems);
        if (kind is ServerKind.Passthrough && server.Tls!.Mode == "AUTO_PASSTHROUGH")
        {
            problems.Ineffective(field, $"{field}.tls.mode", "AUTO_PASSTHROUGH is not done, so the server is left out; use PASSTHROUGH and a VirtualService with tls");
            return null;
        }

        var tls = kind is ServerKind.Https or ServerKind.Tls ? ServerTlsReader.Read(server.Tls!, $"{field}.tls", lookups.Settings.FrontDoorNamespace, problems) : null;
        var isUsable = kind is not null && problems.Errors == before && (kind is not (ServerKind.Https or ServerKind.Tls) || tls is not null);
        return isUsable ? new(gateway, server, field, kind!.Value, tls) : null;
    }

    private static ServerKind? KindOf(Server server, string field, Problems problems)
    {
        var isOpen = server.Tls?.Mode is "PASSTHROUGH" or "AUTO_PASSTHROUGH";
        switch (server.Port.Protocol.ToUpperInvariant())
        {
            case "HTTP" or "HTTP2" or "GRPC" or "GRPC-WEB":
                if (server.Tls is { HttpsRedirect: not true } or { Mode: not null })
                    problems.Error($"{field}.tls", "is for HTTPS and TLS; with HTTP it has httpsRedirect only. Write the protocol HTTPS");
                return ServerKind.Http;
            case "HTTPS" when isOpen:
            case "TLS" when isOpen:
                return ServerKind.Passthrough;
            case "HTTPS" when server.Tls is { Mode: not null }:
                return ServerKind.Https;
            case "TLS" when server.Tls is { Mode: not null }:
                return ServerKind.Tls;
            case "HTTPS" or "TLS":
                problems.Error($"{field}.tls.mode", "is missing; SIMPLE, MUTUAL or PASSTHROUGH");
                return null;
            case "TCP" or "MONGO":
                if (server.Tls is not null)
                    problems.Error($"{field}.tls", "is for HTTPS and TLS; write the protocol TLS");
                return ServerKind.Tcp;
            default:
                problems.Error($"{field}.port.protocol", $"'{server.Port.Protocol}' is none of HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TCP, MONGO and TLS");
                return null;
        }
    }

    private static bool IsByName(GatewayServer server) => server.Kind is ServerKind.Https or ServerKind.Passthrough;

    private static bool Fits(GatewayServer server, GatewayServer? first, Problems problems)
    {
        if (first is null)
            return true;
        var other = $"Gateway {MeshIndex.Name(first.Gateway)} {first.Field}";
        if (server.Kind != first.Kind && !(IsByName(server) && IsByName(first)))
            problems.Error($"{server.Field}.port.protocol", $"port {server.Server.Port.Number} is {first.Kind.ToString().ToLowerInvariant()} of {other}; use another port, or the same protocol and kind of TLS");
        else if ((server.Server.Bind ?? "") != (first.Server.Bind ?? ""))
            problems.Error($"{server.Field}.bind", $"port {server.Server.Port.Number} is bound by {other} otherwise; use the same address, or another port");
        else if (server.Kind == ServerKind.Tls && server.Tls is { } tls && first.Tls is { } settings && (tls.Settings with { Certificates = [] } != settings.Settings with { Certificates = [] } || tls.ClientSecret != settings.ClientSecret))
            problems.Ineffective(server.Field, $"{server.Field}.tls", $"TLS servers of a port differ in their certificates only, so this one is left out; write it as {other}, or use another port");
        else
            return true;
        return false;
    }
}
