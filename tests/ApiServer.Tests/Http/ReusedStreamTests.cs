using System.Net;
using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Weft.ApiServer.Http;
using Weft.ApiServer.Tests.Kit;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Http;

/// <summary>
/// Kestrel serves several streams of a connection with one object, and a WINDOW_UPDATE that comes late can leave it marked as scheduled (<see cref="ReusedStreams"/>). That takes a thread
/// that is stopped between two instructions, so the tests set the mark themselves. When Kestrel has no such names any more, look whether the fault is gone, and this with it.
/// </summary>
public sealed class ReusedStreamTests
{
    private const BindingFlags Own = BindingFlags.Instance | BindingFlags.NonPublic;

    [Fact]
    public async Task A_request_on_a_stream_object_that_was_left_marked_as_scheduled_is_answered()
    {
        var now = TimeProvider.System.GetUtcNow();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var seen = new SeenStreams();
        await using var server = await TestServer.StartAsync(options: options => options with { ServerCertificate = certificate }, parts: parts => parts with { Paths = [seen] });
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } })
        {
            BaseAddress = server.Host.Address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        // Kestrel may make another object when it has not put the one before away yet.
        for (var request = 1; seen.Again < 3; request++)
        {
            Assert.True(request < 1000, "Kestrel uses no object of a stream again");
            Assert.Equal("here", await Eventually.EndsAsync(client.GetStringAsync("/seen")));
            await LeaveMarkedAsync(seen.Last);
        }
    }

    private static async Task LeaveMarkedAsync(object stream)
    {
        var output = stream.GetType().BaseType!.GetField("_http2Output", Own)!.GetValue(stream)!;
        var isScheduled = output.GetType().GetField("_isScheduled", Own)!;
        var isOver = output.GetType().GetField("_completedResponse", Own)!;
        await Eventually.TrueAsync(() => (bool)isOver.GetValue(output)!, "the answer is over");
        isScheduled.SetValue(output, true);
    }

    private sealed class SeenStreams : IPathHandler
    {
        private readonly HashSet<object> _streams = new(ReferenceEqualityComparer.Instance);
        private object? _last;

        /// <summary>Requests on an object that had one before.</summary>
        internal int Again { get; private set; }

        internal object Last => _last ?? throw new InvalidOperationException("no request has come");

        public bool Matches(RequestInfo request) => request.Path == "/seen";

        public Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
        {
            _last = context.Features.Get<IHttpResetFeature>()!;
            if (!_streams.Add(_last))
                Again++;
            return context.Response.WriteAsync("here", cancellationToken);
        }
    }
}
