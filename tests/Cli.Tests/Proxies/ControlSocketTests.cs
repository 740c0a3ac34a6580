using System.Net;
using System.Net.Sockets;
using Weft.Cli.Proxies.HotRestart;
using Weft.Cli.Supervision;
using Weft.Testing;

namespace Weft.Cli.Tests.Proxies;

/// <summary>Words and descriptors between two processes; here both ends are in one.</summary>
public sealed class ControlSocketTests
{
    [Fact]
    public void Messages_stay_apart_and_descriptors_arrive_with_theirs()
    {
        var (one, other) = ControlSocket.Pair();
        using var left = one;
        using var right = new ControlSocket(other);
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();

        Assert.True(left.Send("first"));
        Assert.True(left.Send("second with", (int)listener.Handle, (int)listener.Handle));
        Assert.True(left.Send("third"));

        Assert.Equal(("first", 0), Read());
        var message = right.Receive()!;
        Assert.Equal("second with", message.Text);
        Assert.Equal(("third", 0), Read());
        Assert.Equal(2, message.Descriptors.Distinct().Count());
        foreach (var descriptor in message.Descriptors)
        {
            // The same socket under another number.
            using var same = new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
            Assert.Equal(listener.LocalEndPoint, same.LocalEndPoint);
        }

        (string, int) Read() => right.Receive() is { } got ? (got.Text, got.Descriptors.Count) : ("", -1);
    }

    [Fact]
    public void The_end_of_one_side_is_heard_by_the_other()
    {
        var (one, other) = ControlSocket.Pair();
        var right = new ControlSocket(other);
        one.Send("last");
        one.Dispose();
        Assert.Equal("last", right.Receive()!.Text);
        Assert.Null(right.Receive());
        Assert.False(right.Send("is nobody there?"));
        right.Dispose();
    }

    /// <summary>The number of a closed descriptor is the next one's: whoever uses it once more speaks to a stranger.</summary>
    [Fact]
    public void A_closed_one_leaves_those_alone_that_have_its_number_now()
    {
        var (closed, other) = ControlSocket.Pair();
        closed.Dispose();
        ControlSocket.CloseDescriptor(other);
        var (next, end) = ControlSocket.Pair();
        using var left = next;
        using var right = new ControlSocket(end);

        Assert.False(closed.Send("to nobody"));
        closed.Shutdown();
        closed.Dispose();

        Assert.True(left.Send("hello"));
        Assert.Equal("hello", right.Receive()!.Text);
    }

    [Fact]
    public void A_store_closes_what_it_gives_up()
    {
        using var store = new DescriptorStore();
        var (one, other) = ControlSocket.Pair();
        using var left = one;
        Assert.True(store.Hear(new ControlMessage("hold end", [other])));
        Assert.True(left.Send("somebody has it"));
        Assert.False(store.Hear(new ControlMessage("ready 5", [])));

        Assert.True(store.Hear(new ControlMessage("release end", [])));

        Assert.False(left.Send("nobody has"));
    }

    [Fact]
    public void A_store_that_is_full_closes_what_comes_and_has_room_for_what_is_given_up()
    {
        using var store = new DescriptorStore(most: 2);
        Assert.True(IsKept("hold a"));
        Assert.True(IsKept("more a"));
        Assert.False(IsKept("more a"));
        Assert.False(IsKept("hold b"));
        Assert.True(store.Hear(new ControlMessage("release a", [])));
        Assert.True(IsKept("hold b"));

        bool IsKept(string said)
        {
            var (one, other) = ControlSocket.Pair();
            using var left = one;
            Assert.True(store.Hear(new ControlMessage(said, [other])));
            return left.Send("is somebody there?");
        }
    }

    [Fact]
    public async Task What_one_run_leaves_the_next_one_has_until_nobody_is_to_follow()
    {
        using var store = new ChildStore();
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var (own, other) = ControlSocket.Pair();
        var silent = store.ListenTo(own, new SilenceWatch());
        using (var first = new ControlSocket(other))
        {
            store.Begin(own);
            Assert.Equal("serve", first.Receive()!.Text);
            first.Send("hold sockets door", (int)listener.Handle);
        }

        // Nothing of what it said last is lost.
        await Eventually.EndsAsync(silent);
        own.Dispose();
        (own, other) = ControlSocket.Pair();
        silent = store.ListenTo(own, new SilenceWatch());
        using (var second = new ControlSocket(other))
        {
            store.Begin(own);
            var had = second.Receive()!;
            Assert.Equal("have sockets door", had.Text);
            using (var same = new Socket(new SafeSocketHandle(Assert.Single(had.Descriptors), ownsHandle: true)))
                Assert.Equal(listener.LocalEndPoint, same.LocalEndPoint);
            Assert.Equal("serve", second.Receive()!.Text);
            store.Dispose();
            var (one, given) = ControlSocket.Pair();
            second.Send("hold late", given);
            ControlSocket.CloseDescriptor(given);
            Assert.Null(one.Receive());
            one.Dispose();
        }

        await Eventually.EndsAsync(silent);
        own.Dispose();
    }
}
