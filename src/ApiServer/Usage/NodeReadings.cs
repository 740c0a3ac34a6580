using Microsoft.Extensions.Logging;
using Weft.Api.Streams;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Usage;

/// <param name="Nodes">By name, those that answered.</param>
internal sealed record Readings(DateTimeOffset At, IReadOnlyDictionary<string, NodeUsage> Nodes);

/// <summary>Asks all nodes what they and their pods use, on the way that pods' streams take. Whoever asks at the same time, or shortly after, shares one round.</summary>
public sealed partial class NodeReadings(IPodStreams streams, StoredObjects objects, TimeProvider time, ILogger<NodeReadings> logger)
{
    // Agents measure every 10 s: asking more often brings nothing new, and half of that is not noticed.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    // A node that is slower is left out of this round, so that one that hangs does not make all figures wait.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Task<Readings>? _round;

    internal async Task<Readings> ReadAsync(CancellationToken cancellationToken)
    {
        Task<Readings> round;
        lock (_gate)
        {
            if (_round is null || _round.IsFaulted || _round.IsCanceled || _round.IsCompletedSuccessfully && time.GetUtcNow() - _round.Result.At >= Fresh)
                _round = Task.Run(AskAllAsync, CancellationToken.None);
            round = _round;
        }
        return await round.WaitAsync(cancellationToken);
    }

    private async Task<Readings> AskAllAsync()
    {
        var (nodes, _) = await objects.ListAsync("", "nodes", "", CancellationToken.None);
        var names = nodes.Select(Metadata.Name).ToList();
        var answers = await Task.WhenAll(names.Select(AskAsync));
        var readings = new Dictionary<string, NodeUsage>(StringComparer.Ordinal);
        foreach (var (name, answer) in names.Zip(answers))
        {
            if (answer is not null)
                readings[name] = answer;
        }
        return new Readings(time.GetUtcNow(), readings);
    }

    private async Task<NodeUsage?> AskAsync(string node)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            return UsageShape.Sound(await streams.UsageAsync(node, patience.Token).WaitAsync(patience.Token));
        }
        catch (Exception gone) when (gone is PodStreamException or IOException or OperationCanceledException)
        {
            Log.Silent(logger, node, gone.Message);
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Node {Node} does not tell what it uses: {Cause}", EventName = nameof(Silent))]
        public static partial void Silent(ILogger logger, string node, string cause);
    }
}
