using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Health;

/// <summary>
/// `grpc.health.v1.Health/Check` (grpc/doc/health-checking.md). The two messages have one field each, so they are written and read by hand, as the node agent's probes do
/// (decision 0008).
/// </summary>
internal sealed class GrpcProbe(GrpcHealthCheck check, HealthHttp http) : IHealthProbe
{
    private const int Serving = 1;
    private const int PrefixLength = 5;
    private const int MaxAnswer = 1024;

    public async Task<string?> AskAsync(IPEndPoint address, string? hostName, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(Request(check.Service));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{http.Scheme}://{hostName ?? address.ToString()}/grpc.health.v1.Health/Check"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        try
        {
            using var response = await http.SendAsync(request, address, cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK)
                return $"answered {(int)response.StatusCode}";
            var answer = await ReadAsync(response, cancellationToken);
            var status = Status(response.TrailingHeaders) ?? Status(response.Headers);
            return status != "0" ? $"grpc-status {status ?? "is missing"}" : IsServing(answer) ? null : "is not serving";
        }
        catch (HttpRequestException failed)
        {
            return HealthHttp.Reason(failed);
        }
        catch (IOException broken)
        {
            return broken.Message;
        }
    }

    public void Dispose() => http.Dispose();

    private static string? Status(HttpResponseHeaders headers) => headers.TryGetValues("grpc-status", out var values) ? values.First() : null;

    private static byte[] Request(string service)
    {
        var name = Encoding.UTF8.GetBytes(service);
        // Field 1, a text; names longer than 127 bytes are refused by the configuration's validator.
        byte[] message = name.Length == 0 ? [] : [0x0A, (byte)name.Length, .. name];
        var framed = new byte[PrefixLength + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed.AsSpan(PrefixLength));
        return framed;
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[MaxAnswer];
        var read = await body.ReadAtLeastAsync(buffer, MaxAnswer, throwOnEndOfStream: false, cancellationToken);
        return buffer[..read];
    }

    /// <summary>Field 1 of the message, an enumeration.</summary>
    private static bool IsServing(ReadOnlySpan<byte> answer) => answer is [0, _, _, _, 2, 0x08, Serving];
}
