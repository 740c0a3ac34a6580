using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Client;

namespace Weft.Bench.Mesh.Changes;

/// <summary>Follows one object, and says when its status has said Programmed of a generation.</summary>
internal sealed class Programmed : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<long, long> _when = [];
    private readonly TimeProvider _time;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Programmed(ResourceClient<JsonObject> client, ObjectKey key, TimeProvider time)
    {
        _time = time;
        _ = FollowAsync(client, key);
    }

    /// <summary>The time at which the news of it had arrived here.</summary>
    public async Task<long> OfAsync(long generation, TimeSpan patience)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_when.TryGetValue(generation, out var when))
                    return when;
                changed = _changed.Task;
            }

            await changed.WaitAsync(patience, _time);
        }
    }

    public static long GenerationOf(JsonObject value) => (long)value["metadata"]!["generation"]!;

    private async Task FollowAsync(ResourceClient<JsonObject> client, ObjectKey key)
    {
        var options = new WatchOptions { FieldSelector = $"metadata.name={key.Name}", Timeout = TimeSpan.FromHours(1) };
        try
        {
            await foreach (var change in client.WatchAsync(key.Namespace, options, _stopping.Token))
            {
                var now = _time.GetTimestamp();
                var conditions = change.Object["status"]?["conditions"]?.AsArray() ?? [];
                var said = conditions.FirstOrDefault(condition => (string?)condition!["type"] == "Programmed" && (string?)condition["status"] == "True");
                if (said is null)
                    continue;
                lock (_gate)
                {
                    // As numbers or as texts: both are to be found in the field.
                    _when.TryAdd(long.Parse(said["observedGeneration"]!.ToString(), System.Globalization.CultureInfo.InvariantCulture), now);
                    _changed.SetResult();
                    _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the bench is over
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }
}
