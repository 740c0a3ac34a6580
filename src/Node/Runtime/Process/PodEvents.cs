using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Weft.Node.Runtime.Process;

/// <summary>Uids of pods to look at. One that waits already is not added again, so there are never more than pods.</summary>
internal sealed class PodEvents : ChannelReader<string>
{
    private readonly Channel<string> _channel = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<string, byte> _waiting = new();

    public override Task Completion => _channel.Reader.Completion;

    public void Add(string uid)
    {
        if (_waiting.TryAdd(uid, 0))
            _channel.Writer.TryWrite(uid);
    }

    public void Complete() => _channel.Writer.TryComplete();

    public override bool TryRead(out string item)
    {
        if (!_channel.Reader.TryRead(out item!))
            return false;
        // Before it is handed out: what happens from now on is another event.
        _waiting.TryRemove(item, out _);
        return true;
    }

    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) => _channel.Reader.WaitToReadAsync(cancellationToken);
}
