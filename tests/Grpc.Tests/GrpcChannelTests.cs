using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Weft.Testing;

namespace Weft.Grpc.Tests;

public sealed class GrpcChannelTests
{
    private static readonly GrpcMethod<StringValue, StringValue> Echo = new("test.Echo", "Say", StringValue.Parser);
    private static readonly GrpcCallOptions Plain = GrpcCallOptions.None;

    private static StringValue Text(string text) => new() { Value = text };

    private static async Task<GrpcException> FailureAsync(RequestDelegate answer, GrpcLimits? limits = null, GrpcCallOptions? options = null)
    {
        var socket = GrpcServer.NewSocket();
        await using var server = await GrpcServer.StartAsync(socket, answer);
        using var channel = GrpcChannel.OnUnixSocket(socket, TimeProvider.System, limits);
        return await Assert.ThrowsAsync<GrpcException>(() => Eventually.EndsAsync(channel.UnaryAsync(Echo, Text("x"), options ?? Plain, default)));
    }

    [Fact]
    public async Task A_unary_call_carries_message_metadata_and_deadline_both_ways()
    {
        var socket = GrpcServer.NewSocket();
        IHeaderDictionary? headers = null;
        var path = "";
        await using var server = await GrpcServer.StartAsync(socket, async context =>
        {
            (headers, path) = (context.Request.Headers, context.Request.Path.Value!);
            var request = StringValue.Parser.ParseFrom(await GrpcServer.ReadAsync(context));
            await GrpcServer.AnswerAsync(context, "0", null, GrpcServer.Frame(Text("got " + request.Value)));
        });
        using var channel = GrpcChannel.OnUnixSocket(socket, TimeProvider.System);

        var answer = await channel.UnaryAsync(Echo, Text("hello"), new() { Timeout = TimeSpan.FromSeconds(50), Metadata = [new("containerd-namespace", "k8s.io")] }, default);

        Assert.Equal("got hello", answer.Value);
        Assert.Equal("/test.Echo/Say", path);
        Assert.Equal("application/grpc", headers!.ContentType);
        Assert.Equal("trailers", headers["te"]);
        Assert.Equal("50000m", headers["grpc-timeout"]);
        Assert.Equal("k8s.io", headers["containerd-namespace"]);
    }

    [Fact]
    public async Task A_stream_gives_messages_as_they_come_and_ends_with_its_status()
    {
        var socket = GrpcServer.NewSocket();
        var goOn = new TaskCompletionSource();
        await using var server = await GrpcServer.StartAsync(socket, async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(GrpcServer.Frame(Text("1")));
            await context.Response.Body.FlushAsync();
            await goOn.Task;
            await GrpcServer.AnswerAsync(context, "11", "enough", GrpcServer.Frame(Text("2")), GrpcServer.Frame(Text("")));
        });
        using var channel = GrpcChannel.OnUnixSocket(socket, TimeProvider.System);

        var seen = new List<string>();
        var error = await Assert.ThrowsAsync<GrpcException>(async () =>
        {
            await foreach (var message in channel.ServerStreamAsync(Echo, Text(""), Plain, default))
            {
                seen.Add(message.Value);
                goOn.TrySetResult();
            }
        });

        Assert.Equal(["1", "2", ""], seen);
        Assert.Equal((GrpcStatus.OutOfRange, "enough"), (error.Status, error.Message));
    }

    [Fact]
    public async Task Both_sides_of_a_duplex_call_send_at_once_and_the_end_of_requests_half_closes()
    {
        var socket = GrpcServer.NewSocket();
        await using var server = await GrpcServer.StartAsync(socket, async context =>
        {
            context.Response.ContentType = "application/grpc";
            while (await Frames.ReadAsync(context.Request.Body, StringValue.Parser, GrpcLimits.Default, context.RequestAborted) is { } request)
            {
                await context.Response.Body.WriteAsync(GrpcServer.Frame(Text("re " + request.Value)));
                await context.Response.Body.FlushAsync();
            }
            await GrpcServer.AnswerAsync(context, "0", null, GrpcServer.Frame(Text("end")));
        });
        using var channel = GrpcChannel.OnUnixSocket(socket, TimeProvider.System);
        var requests = Channel.CreateUnbounded<StringValue>();
        await requests.Writer.WriteAsync(Text("a"));

        var answers = new List<string>();
        await foreach (var answer in channel.DuplexAsync(Echo, requests.Reader.ReadAllAsync(), Plain, default))
        {
            answers.Add(answer.Value);
            if (answer.Value == "re a")
                await requests.Writer.WriteAsync(Text("b"));   // only after the first answer: neither side waits for the other's end
            else
                requests.Writer.TryComplete();
        }

        Assert.Equal(["re a", "re b", "end"], answers);
    }

    [Fact]
    public async Task A_status_with_an_encoded_message_becomes_the_exception()
    {
        var error = await FailureAsync(context => GrpcServer.AnswerAsync(context, "5", "no caf%C3%A9 %zz%", []));
        Assert.Equal((GrpcStatus.NotFound, "no café %zz%"), (error.Status, error.Message));
    }

    [Fact]
    public async Task An_answer_of_trailers_alone_is_a_status()
    {
        var error = await FailureAsync(context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["grpc-status"] = "12";
            context.Response.Headers["grpc-message"] = "unknown method";
            context.Response.Headers["grpc-status-details-bin"] = "AAA=";
            return Task.CompletedTask;
        });
        Assert.Equal((GrpcStatus.Unimplemented, "unknown method"), (error.Status, error.Message));
        Assert.Contains(error.Trailers, t => t is { Key: "grpc-status-details-bin", Value: "AAA=" });
    }

    [Fact]
    public async Task A_message_larger_than_the_limit_is_refused_before_it_is_read()
    {
        var error = await FailureAsync(context => GrpcServer.AnswerAsync(context, "0", null, [0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]), new GrpcLimits { MaxMessageBytes = 1000 });
        Assert.Equal(GrpcStatus.ResourceExhausted, error.Status);
        Assert.Contains("4294967295", error.Message);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0 }, "header")]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 }, "within a message")]
    [InlineData(new byte[] { 1, 0, 0, 0, 0 }, "compressed")]
    [InlineData(new byte[] { 7, 0, 0, 0, 0 }, "flags 7")]
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 0xff }, "StringValue")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, "more than one")]
    [InlineData(new byte[] { }, "without a message")]
    public async Task A_malformed_answer_is_an_internal_error_that_says_what_is_wrong(byte[] body, string word)
    {
        var error = await FailureAsync(context => GrpcServer.AnswerAsync(context, "0", null, body));
        Assert.Equal(GrpcStatus.Internal, error.Status);
        Assert.Contains(word, error.Message);
    }

    [Fact]
    public async Task An_answer_that_is_not_gRPC_is_refused()
    {
        var html = await FailureAsync(context =>
        {
            context.Response.ContentType = "text/html";
            return context.Response.WriteAsync("<html>");
        });
        Assert.Contains("text/html", html.Message);

        var missing = await FailureAsync(context =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        Assert.Equal(GrpcStatus.Unimplemented, missing.Status);

        var silent = await FailureAsync(context =>
        {
            context.Response.ContentType = "application/grpc+proto";
            return context.Response.Body.WriteAsync(GrpcServer.Frame(Text("x"))).AsTask();
        });
        Assert.Contains("without a status", silent.Message);
    }

    [Fact]
    public async Task A_deadline_ends_the_call_and_a_cancellation_reaches_the_server()
    {
        var socket = GrpcServer.NewSocket();
        var (arrived, aborted) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await GrpcServer.StartAsync(socket, async context =>
        {
            context.RequestAborted.Register(() => aborted.TrySetResult());
            arrived.TrySetResult();
            await aborted.Task;
        });
        using var channel = GrpcChannel.OnUnixSocket(socket, TimeProvider.System);

        var late = await Assert.ThrowsAsync<GrpcException>(() => channel.UnaryAsync(Echo, Text(""), new() { Timeout = TimeSpan.FromMilliseconds(100) }, default));
        Assert.Equal(GrpcStatus.DeadlineExceeded, late.Status);

        arrived = new();
        aborted = new();
        using var cancel = new CancellationTokenSource();
        var call = channel.UnaryAsync(Echo, Text(""), Plain, cancel.Token);
        await Eventually.EndsAsync(arrived.Task);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await Eventually.EndsAsync(aborted.Task);
    }

    [Fact]
    public async Task A_reset_stream_and_a_broken_connection_are_statuses()
    {
        var refused = await FailureAsync(context =>
        {
            context.Features.Get<IHttpResetFeature>()!.Reset(7);   // REFUSED_STREAM
            return Task.CompletedTask;
        });
        Assert.Equal(GrpcStatus.Unavailable, refused.Status);

        var broken = await FailureAsync(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        Assert.True(broken.Status is GrpcStatus.Internal or GrpcStatus.Cancelled or GrpcStatus.Unavailable, broken.Status.ToString());
    }

    [Fact]
    public async Task Without_a_listener_the_call_says_so_and_works_when_one_comes_and_comes_again()
    {
        var socket = GrpcServer.NewSocket();
        using var channel = GrpcChannel.OnUnixSocket(socket, TimeProvider.System);
        var nobody = await Assert.ThrowsAsync<GrpcException>(() => channel.UnaryAsync(Echo, Text(""), Plain, default));
        Assert.Equal(GrpcStatus.Unavailable, nobody.Status);
        Assert.Contains("no such socket", nobody.Message);

        for (var i = 0; i < 2; i++)
        {
            await using var server = await GrpcServer.StartAsync(socket, context => GrpcServer.AnswerAsync(context, "0", null, GrpcServer.Frame(Text("here"))));
            string? answer = null;
            await Eventually.TrueAsync(async () =>
            {
                try
                {
                    answer = (await channel.UnaryAsync(Echo, Text(""), Plain, default)).Value;
                    return true;
                }
                catch (GrpcException)
                {
                    return false;   // the old connection is found broken once
                }
            });
            Assert.Equal("here", answer);
        }
    }

    [Theory]
    [InlineData(0.2, "1m")]
    [InlineData(1500, "1500m")]
    [InlineData(99_999_999.0, "99999999m")]
    [InlineData(100_000_000.0, "100000S")]
    public void A_timeout_has_at_most_eight_digits(double milliseconds, string expected) =>
        Assert.Equal(expected, Deadlines.Format(TimeSpan.FromMilliseconds(milliseconds)));
}
