using System.Collections.Immutable;
using Weft.Control.Configuration;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Configuration;

namespace Weft.Control.Tests.Mesh.Feed;

/// <summary>A proxy that applies what the hub has, as a real one does, and acknowledges it while it may.</summary>
internal sealed class FakeProxy : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConfigState _state = new(_ => { });
    private readonly ConfigSubscription _subscription;
    private readonly Task _running;
    private readonly SemaphoreSlim _mayAnswer;

    /// <param name="answers">False: nothing is acknowledged until <see cref="Answer"/>.</param>
    public FakeProxy(ConfigHub hub, string name, bool answers = true)
    {
        _mayAnswer = new(answers ? int.MaxValue : 0);
        _subscription = hub.Subscribe(name, new Dictionary<UnitKey, UnitHash>());
        _running = RunAsync();
    }

    /// <summary>A unit that it says it cannot use.</summary>
    public UnitKey? Refused { get; set; }

    public ImmutableDictionary<UnitKey, ConfigUnit> Units => _state.Units;

    public T? Find<T>(UnitKind kind, string name) where T : class => Units.TryGetValue(new(kind, name), out var unit) ? (T)UnitCodec.Read(unit) : null;

    /// <summary>From now on everything is acknowledged.</summary>
    public void Answer() => _mayAnswer.Release(1_000_000);

    /// <summary>It says that these endpoints, which it uses no more, still answer it.</summary>
    public void Drains(params string[] addresses) => _subscription.Drains(addresses);

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _subscription.WaitAsync(_stopping.Token);
                var step = _subscription.Take();
                var ack = _state.Apply(step);
                await _mayAnswer.WaitAsync(_stopping.Token);
                if (Refused is { } refused && step.Any(delta => delta.Upserts.Any(unit => unit.Key == refused)))
                    ack = ack with { Rejected = [new Rejection(refused, "hosts[0]", "not by me")] };
                _subscription.Acknowledge(ack);
            }
        }
        catch (OperationCanceledException)
        {
            // It leaves.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _subscription.Dispose();
        _stopping.Dispose();
        _mayAnswer.Dispose();
    }
}
