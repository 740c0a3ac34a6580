using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Weft.Api.Shutdown;

/// <summary>Pods of at least this priority have together this long to end in, after those of lower priority (Kubernetes' shutdownGracePeriodByPodPriority).</summary>
public sealed record PriorityPeriod(int Priority, double Seconds);

/// <summary>Asks a node agent, over its socket, to end its pods because the machine goes down: one line of JSON.</summary>
public sealed record ShutdownRequest(ImmutableArray<PriorityPeriod> Periods);

/// <summary>What the agent answers, a line each; the last one is done.</summary>
/// <param name="Message">A sentence for the user.</param>
public sealed record ShutdownReport(string Message, bool Done);

/// <summary>Where the agent listens, in its run directory: for root alone, as everything there.</summary>
public static class ShutdownSocket
{
    public const string Name = "shutdown.sock";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ShutdownRequest))]
[JsonSerializable(typeof(ShutdownReport))]
public sealed partial class ShutdownJson : JsonSerializerContext;
