using System.Text.Json.Serialization;

namespace Weft.Api.Streams.Tunnels;

/// <summary>Where a node's agent dials: once to wait for orders, and once for each stream that is ordered.</summary>
public static class TunnelPaths
{
    public const string Orders = "/weft.dev/tunnel/v1";

    public static string Stream(string id) => $"{Orders}/{id}";
}

public enum TunnelKind { Logs, Exec, Attach, Connect, Cancel, Usage, Inspect }

/// <summary>What the API server asks of a node, in one text message of the connection that the node keeps open for it.</summary>
/// <param name="Id">Of the stream: the node dials <see cref="TunnelPaths.Stream"/> with it.</param>
public sealed record TunnelOrder(string Id, TunnelKind Kind)
{
    public PodStreamTarget? Target { get; init; }
    public LogOptions? Logs { get; init; }
    public IReadOnlyList<string> Command { get; init; } = [];
    public bool Input { get; init; }
    public bool Output { get; init; }
    public bool Error { get; init; }
    public bool Terminal { get; init; }
    public int Port { get; init; }

    /// <summary>Of <see cref="TunnelKind.Inspect"/>; it fits <see cref="TunnelSocket.MaxText"/>.</summary>
    public string? Question { get; init; }
}

/// <summary>How an order ended; for a connection to a port: that it stands.</summary>
public sealed record TunnelResult(int ExitCode)
{
    public PodStreamError? Failure { get; init; }
    public string? Message { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TunnelOrder))]
[JsonSerializable(typeof(TunnelResult))]
[JsonSerializable(typeof(TerminalSize))]
[JsonSerializable(typeof(NodeUsage))]
public sealed partial class TunnelJson : JsonSerializerContext;
