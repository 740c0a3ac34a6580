using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;
using Weft.Testing;

namespace Weft.Proxy.Tests.Transport;

/// <summary>Connections over a pair within the process. The clock stands still: what happens needs no timer.</summary>
public sealed class PairConnectionTests : IDisposable
{
    private readonly List<Exception> _defects = [];
    private readonly EventLoop _loop;

    public PairConnectionTests()
    {
        _loop = new("pair", new ManualTime(), _defects.Add);
        _loop.Start();
    }

    [Theory]
    [InlineData(true, "lost")]
    [InlineData(false, "end")]
    public async Task An_end_that_is_closed_as_a_whole_is_a_cut_where_that_is_asked_for(bool hangUpIsLoss, string heard)
    {
        var (side, other) = await OpenAsync(hangUpIsLoss);
        SocketCalls.Send(other, "bytes"u8);
        SocketCalls.Close(other);
        await Eventually.TrueAsync(() => side.Heard == "bytes " + heard);
    }

    [Fact]
    public async Task A_half_that_is_closed_is_an_end()
    {
        var (side, other) = await OpenAsync(hangUpIsLoss: true);
        SocketCalls.ShutdownWriting(other);
        await Eventually.TrueAsync(() => side.Heard == " end");
        Assert.False(side.Connection.HasHungUp);
        SocketCalls.Close(other);
        await Eventually.TrueAsync(() => side.Connection.HasHungUp);
    }

    [Fact]
    public async Task Who_has_ended_the_own_half_hears_of_the_end_also_when_all_is_closed()
    {
        var (side, other) = await OpenAsync(hangUpIsLoss: true);
        await _loop.PostAsync(side.Connection.ShutdownWriting);
        SocketCalls.Close(other);
        await Eventually.TrueAsync(() => side.Heard == " end");
    }

    [Fact]
    public async Task A_connection_whose_halves_have_ended_is_closed_at_once()
    {
        var (side, other) = await OpenAsync(hangUpIsLoss: true);
        await _loop.PostAsync(side.Connection.ShutdownWriting);
        SocketCalls.ShutdownWriting(other);
        await Eventually.TrueAsync(() => side.Heard == " end");
        await _loop.PostAsync(() => side.Connection.CloseGracefully(peerMaySend: false));
        await Eventually.TrueAsync(() => side.IsGone); // without the time for lingering
        SocketCalls.Close(other);
    }

    [Fact]
    public async Task Who_leaves_or_closes_in_order_is_not_heard_of_as_a_cut_and_who_resets_is()
    {
        foreach (var (close, heard) in ((Action<Connection>, string)[])[(each => each.Leave(), " end"), (each => each.CloseGracefully(peerMaySend: false), " end"), (each => each.Reset(), " lost"), (each => each.ResetGracefully(), " lost")])
        {
            var (own, other) = SocketCalls.Pair()!.Value;
            var (one, two) = (new Side(), new Side());
            await _loop.PostAsync(() =>
            {
                foreach (var (side, fd) in ((Side, int)[])[(one, own), (two, other)])
                {
                    side.Connection = new(_loop, fd, null, connecting: false, watcher: side) { HangUpIsLoss = true };
                    side.Connection.Protocol = side;
                }

                close(one.Connection);
            });
            await Eventually.TrueAsync(() => two.Heard == heard);
            await _loop.PostAsync(() => two.Connection.Abort());
            await Eventually.TrueAsync(() => one.IsGone);
        }
    }

    [Fact]
    public async Task What_waits_is_sent_before_a_reset_that_may_wait()
    {
        var (side, other) = await OpenAsync(hangUpIsLoss: true);
        await _loop.PostAsync(() =>
        {
            side.Connection.Output.Write("answer"u8);
            side.Connection.ResetGracefully();
        });
        await Eventually.TrueAsync(() => side.IsGone);
        var got = new byte[16];
        Assert.Equal(6, SocketCalls.Receive(other, got));
        SocketCalls.Close(other);
    }

    private async Task<(Side Side, int Other)> OpenAsync(bool hangUpIsLoss)
    {
        var (own, other) = SocketCalls.Pair()!.Value;
        var side = new Side();
        await _loop.PostAsync(() =>
        {
            side.Connection = new(_loop, own, null, connecting: false, watcher: side) { HangUpIsLoss = hangUpIsLoss };
            side.Connection.Protocol = side;
        });
        return (side, other);
    }

    public void Dispose()
    {
        _loop.Dispose();
        Assert.Empty(_defects);
    }

    private sealed class Side : IProtocol, IConnectionWatcher
    {
        private volatile string _heard = " ";

        public Connection Connection { get; set; } = null!;

        public string Heard => _heard;

        public volatile bool IsGone;

        public int OnData(ReadOnlySpan<byte> data)
        {
            _heard = System.Text.Encoding.ASCII.GetString(data) + _heard;
            return data.Length;
        }

        public void OnEnd() => _heard += "end";

        public void OnClosed() => _heard += "lost";

        public void OnWritable()
        {
        }

        public void OnTimeout()
        {
        }

        public void OnOpen(Connection connection)
        {
        }

        public void OnGone(Connection connection) => IsGone = true;
    }
}
