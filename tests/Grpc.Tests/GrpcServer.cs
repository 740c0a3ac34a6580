using System.Buffers.Binary;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Weft.Grpc.Tests;

/// <summary>A real HTTP/2 server on a unix socket; each test writes its own answers, also such as no gRPC library would.</summary>
internal sealed class GrpcServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _socket;

    private GrpcServer(WebApplication app, string socket) => (_app, _socket) = (app, socket);

    public static string NewSocket() => Path.Combine(Path.GetTempPath(), $"weft-grpc-{Environment.ProcessId}-{TimeProvider.System.GetTimestamp():x}.sock");

    public static async Task<GrpcServer> StartAsync(string socket, RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return new(app, socket);
    }

    public static byte[] Frame(IMessage message, byte flags = 0)
    {
        var bytes = message.ToByteArray();
        var frame = new byte[5 + bytes.Length];
        frame[0] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), bytes.Length);
        bytes.CopyTo(frame, 5);
        return frame;
    }

    /// <summary>The content of the one frame of a request.</summary>
    public static async Task<byte[]> ReadAsync(HttpContext context)
    {
        var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        return buffer.ToArray()[5..];
    }

    public static async Task AnswerAsync(HttpContext context, string status, string? message, params byte[][] frames)
    {
        if (!context.Response.HasStarted)
            context.Response.ContentType = "application/grpc";
        foreach (var frame in frames)
        {
            await context.Response.Body.WriteAsync(frame);
            await context.Response.Body.FlushAsync();
        }
        context.Response.AppendTrailer("grpc-status", status);
        if (message is not null)
            context.Response.AppendTrailer("grpc-message", message);
    }

    public async ValueTask DisposeAsync()
    {
        // Not waiting for calls that a test left open.
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        File.Delete(_socket);
    }
}
