using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Weft.Control.Discovery.Http;

internal enum CallerRights
{
    /// <summary>Names, health, nodes.</summary>
    Look,

    /// <summary>Everything.</summary>
    All,

    /// <summary>A token that is none.</summary>
    WrongToken,
}

/// <summary>
/// Who may do what. A process of this machine may do everything, as with Consul's own agent. Somebody from elsewhere (a pod) sees names and health, which DNS
/// tells him anyway; values and every change need the token of the token file.
/// </summary>
/// <param name="token">Null: nobody from elsewhere may change anything.</param>
/// <param name="networks">From where anybody is heard at all, beside this machine.</param>
public sealed class RegistryAccess(string? token, IReadOnlyList<IPNetwork> networks)
{
    private readonly byte[]? _token = token is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(token));

    internal bool Hears(IPAddress? remote) => remote is not null && (IsLocal(remote) || networks.Any(network => network.Contains(Plain(remote))));

    internal static bool IsLocal(IPAddress? remote) => remote is not null && IPAddress.IsLoopback(Plain(remote));

    internal CallerRights Of(HttpContext context)
    {
        if (IsLocal(context.Connection.RemoteIpAddress))
            return CallerRights.All;
        if (TokenOf(context.Request) is not { } given)
            return CallerRights.Look;
        // Hashes are of one length, and are compared in constant time.
        return _token is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), _token) ? CallerRights.All : CallerRights.WrongToken;
    }

    /// <summary>A web page may make its own name point here and have the browser ask on its behalf (DNS rebinding), or send a form from another page.</summary>
    internal static bool IsForeignPage(HttpRequest request)
    {
        var host = request.Host.Host;
        var isOwn = IPAddress.TryParse(host.Trim('[', ']'), out _) || host == "localhost" || host.EndsWith(".consul", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".cluster.local", StringComparison.OrdinalIgnoreCase)
            || host.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase);
        return !isOwn || (request.Headers.Origin is { Count: > 0 } origin && (!Uri.TryCreate(origin[0], UriKind.Absolute, out var page) || page.Authority != request.Host.Value));
    }

    private static string? TokenOf(HttpRequest request)
    {
        if (request.Headers["X-Consul-Token"] is [{ Length: > 0 } header])
            return header;
        if (request.Headers.Authorization is [{ } bearer] && bearer.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return bearer[7..].Trim();
        return request.Query["token"] is [{ Length: > 0 } query] ? query : null;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
