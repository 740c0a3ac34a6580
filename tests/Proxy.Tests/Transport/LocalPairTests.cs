using System.Text;
using Weft.Proxy.Transport;
using Weft.Testing;

namespace Weft.Proxy.Tests.Transport;

/// <summary>Connections over a pair within the loop: they behave as over one of the kernel's. The clock stands still: what happens needs no timer.</summary>
public sealed class LocalPairTests : IDisposable
{
    private readonly List<Exception> _defects = [];
    private readonly EventLoop _loop;

    public LocalPairTests()
    {
        _loop = new("pair", new ManualTime(), _defects.Add);
        _loop.Start();
    }

    [Fact]
    public async Task What_is_written_at_one_end_is_read_at_the_other_before_the_action_that_wrote_it_has_ended()
    {
        var (one, two) = await OpenAsync();
        await _loop.PostAsync(() => one.Connection.Write("bytes"u8));
        await _loop.PostAsync(() => Assert.Equal("bytes ", two.Heard));
        await _loop.PostAsync(() => two.Connection.Write("back"u8));
        await _loop.PostAsync(() => Assert.Equal("back ", one.Heard));
    }

    [Theory]
    [InlineData(true, "bytes lost")]
    [InlineData(false, "bytes end")]
    public async Task An_end_that_is_closed_as_a_whole_is_a_cut_where_that_is_asked_for(bool hangUpIsLoss, string heard)
    {
        var (one, two) = await OpenAsync(hangUpIsLoss);
        await _loop.PostAsync(() =>
        {
            one.Connection.Write("bytes"u8);
            one.Connection.Flush();
            one.Connection.Abort();
        });
        await Eventually.TrueAsync(() => two.Heard == heard);
    }

    [Fact]
    public async Task A_half_that_is_closed_is_an_end_and_both_halves_are_all()
    {
        var (one, two) = await OpenAsync(hangUpIsLoss: true);
        await _loop.PostAsync(one.Connection.ShutdownWriting);
        await Eventually.TrueAsync(() => two.Heard == " end");
        Assert.False(two.Connection.HasHungUp);
        await _loop.PostAsync(() => two.Connection.CloseGracefully(peerMaySend: false));
        await Eventually.TrueAsync(() => two.IsGone && one.Heard == " end");
        Assert.True(one.Connection.HasHungUp);
    }

    [Fact]
    public async Task Who_closes_what_it_has_not_read_cuts_the_stream()
    {
        var (one, two) = await OpenAsync();
        await _loop.PostAsync(() =>
        {
            two.Connection.PauseReading();
            one.Connection.Write("never read"u8);
        });
        await _loop.PostAsync(two.Connection.Abort);
        await Eventually.TrueAsync(() => one.Heard == " lost");
    }

    [Fact]
    public async Task An_end_that_is_refused_before_the_other_is_a_connection_is_lost_to_it()
    {
        Side? side = null;
        await _loop.PostAsync(() =>
        {
            var (own, other) = _loop.Sockets.Pair();
            _loop.Sockets.Close(other);
            side = new Side();
            side.Connection = new(_loop, own, null, connecting: true, watcher: side) { Protocol = side };
        });
        await Eventually.TrueAsync(() => side!.IsGone);
    }

    [Fact]
    public async Task Who_does_not_read_stops_the_writer_and_gets_all_of_it_later()
    {
        var (one, two) = await OpenAsync();
        var data = Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7)).ToArray();
        await _loop.PostAsync(() =>
        {
            two.Connection.PauseReading();
            one.Connection.Write(data);
        });
        await _loop.PostAsync(() => Assert.True(one.Connection.IsBlocked));
        Assert.Empty(two.Received);
        await _loop.PostAsync(two.Connection.ResumeReading);
        await Eventually.TrueAsync(() => two.Received.Count == data.Length);
        Assert.Equal(data, two.Received);
        await _loop.PostAsync(() => Assert.False(one.Connection.IsBlocked));
        Assert.True(one.Writable > 0);
    }

    [Fact]
    public async Task Two_ends_that_never_stop_answering_each_other_leave_the_loop_to_others()
    {
        var (one, two) = await OpenAsync();
        (one.Echoes, two.Echoes) = (true, true);
        await _loop.PostAsync(() => one.Connection.Write("ball"u8));
        for (var turn = 0; turn < 20; turn++)
            await Eventually.EndsAsync(_loop.PostAsync(() => { }));
        await _loop.PostAsync(one.Connection.Abort);
        await Eventually.TrueAsync(() => two.IsGone || two.Heard.EndsWith("end", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Bytes_go_through_without_an_allocation()
    {
        var (one, two) = await OpenAsync();
        var message = new byte[500];
        two.Counts = one.Counts = true;
        await _loop.PostAsync(() => Send(1000));
        var (allocated, before) = (0L, two.Bytes);
        await _loop.PostAsync(() =>
        {
            var start = GC.GetAllocatedBytesForCurrentThread();
            Send(1000);
            allocated = GC.GetAllocatedBytesForCurrentThread() - start;
        });
        Assert.Equal(before + (500 * 1000), two.Bytes);
        Assert.Equal(0, allocated);

        void Send(int times)
        {
            for (var i = 0; i < times; i++)
            {
                one.Connection.Write(message);
                one.Connection.Flush();
                // As the loop does when the event is over.
                two.Connection.OnEvents(Weft.Proxy.Transport.Interop.Libc.EpollIn);
            }
        }
    }

    [Fact]
    public async Task Closed_ends_leave_their_places_and_buffers_to_others()
    {
        for (var round = 0; round < 3; round++)
        {
            var (one, two) = await OpenAsync();
            await _loop.PostAsync(() => one.Connection.Write("bytes"u8));
            await _loop.PostAsync(one.Connection.Abort);
            await _loop.PostAsync(two.Connection.Abort);
            var (open, inUse) = (-1, -1L);
            await _loop.PostAsync(() => (open, inUse) = (_loop.Sockets.Open, _loop.Buffers.InUse));
            Assert.Equal((0, 0L), (open, inUse));
        }
    }

    private async Task<(Side One, Side Two)> OpenAsync(bool hangUpIsLoss = false)
    {
        var (one, two) = (new Side(), new Side());
        await _loop.PostAsync(() =>
        {
            var (first, second) = _loop.Sockets.Pair();
            foreach (var (side, fd) in ((Side, int)[])[(one, first), (two, second)])
                side.Connection = new(_loop, fd, null, connecting: false, watcher: side) { HangUpIsLoss = hangUpIsLoss, Protocol = side };
        });
        return (one, two);
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

        public List<byte> Received { get; } = [];

        public bool Echoes { get; set; }

        public bool Counts { get; set; }

        public long Bytes { get; private set; }

        public int Writable { get; private set; }

        public volatile bool IsGone;

        public int OnData(ReadOnlySpan<byte> data)
        {
            if (Echoes)
            {
                Connection.Write(data);
                return data.Length;
            }

            Bytes += data.Length;
            if (Counts)
                return data.Length;
            Received.AddRange(data);
            _heard = Encoding.ASCII.GetString(data) + _heard;
            return data.Length;
        }

        public void OnEnd() => _heard += "end";

        public void OnClosed() => _heard += "lost";

        public void OnWritable() => Writable++;

        public void OnTimeout()
        {
        }

        public void OnOpen(Connection connection)
        {
        }

        public void OnGone(Connection connection) => IsGone = true;
    }
}
