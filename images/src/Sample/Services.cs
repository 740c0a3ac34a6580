using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Weft.Images.Sample;

/// <summary>Answers with who it is and what it was asked. `?status=503` and `?delayMs=200` make it fail or slow.</summary>
internal static class HttpEcho
{
    internal static async Task<Answer> Answer(Request request)
    {
        if (int.TryParse(request.Query("delayMs"), NumberStyles.None, CultureInfo.InvariantCulture, out var delay))
            await Task.Delay(TimeSpan.FromMilliseconds(delay), TimeProvider.System);
        var status = int.TryParse(request.Query("status"), NumberStyles.None, CultureInfo.InvariantCulture, out var asked) && asked is >= 200 and < 600 ? asked : 200;
        return new(status, "application/json", Json.Write(json =>
        {
            json.WriteString("host", Environment.MachineName);
            // What the downward API gives, where a manifest asks for it.
            foreach (var name in new[] { "POD_NAME", "POD_NAMESPACE", "POD_IP", "NODE_NAME", "VERSION" })
            {
                if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
                    json.WriteString(name, value);
            }

            json.WriteString("source", request.Source.Address.ToString());
            json.WriteNumber("sourcePort", request.Source.Port);
            json.WriteString("destination", request.Destination.Address.ToString());
            json.WriteNumber("destinationPort", request.Destination.Port);
            json.WriteString("method", request.Method);
            json.WriteString("path", request.Target);
            json.WriteNumber("bodyBytes", request.BodyBytes);
            json.WriteStartObject("headers");
            foreach (var group in request.Headers.GroupBy(header => header.Name, StringComparer.OrdinalIgnoreCase))
                json.WriteString(group.Key, string.Join(", ", group.Select(header => header.Value)));
            json.WriteEndObject();
        }));
    }
}

/// <summary>What time it is.</summary>
internal sealed class Clock(TimeProvider time)
{
    internal Task<Answer> Answer(Request request) => Task.FromResult(request.Path switch
    {
        "/healthz" => new Answer(200, "text/plain", "ok\n"),
        "/" or "/time" => new Answer(200, "application/json", Json.Write(json =>
        {
            json.WriteString("time", time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("host", Environment.MachineName);
        })),
        _ => new Answer(404, "text/plain", "ask for /time\n"),
    });
}

/// <summary>The application of the example manifests.</summary>
internal static class App
{
    internal static Task<Answer> Answer(Request request) => Task.FromResult(request.Path == "/healthz"
        ? new Answer(200, "text/plain", "ok\n")
        : new Answer(200, "text/plain", $"Hello from my-app {Environment.GetEnvironmentVariable("VERSION")} on {Environment.MachineName}\n"));
}

internal static class Json
{
    internal static string Write(Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
