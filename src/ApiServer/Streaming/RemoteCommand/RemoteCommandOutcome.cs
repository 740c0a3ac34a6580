using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api.Streams;

namespace Weft.ApiServer.Streaming.RemoteCommand;

/// <summary>How a command ended, in the two forms that clients read on the error stream.</summary>
internal sealed record RemoteCommandOutcome
{
    private RemoteCommandOutcome(string? failure, string reason, int code, int exitCode) => (Failure, Reason, Code, ExitCode) = (failure, reason, code, exitCode);

    /// <summary>Null for success.</summary>
    public string? Failure { get; }
    public string Reason { get; }
    public int Code { get; }
    public int ExitCode { get; }

    public static RemoteCommandOutcome Success { get; } = new(null, "", 0, 0);

    public static RemoteCommandOutcome Exited(int code) =>
        code == 0 ? Success : new($"command terminated with non-zero exit code: exit status {code}", "NonZeroExitCode", 0, code);

    public static RemoteCommandOutcome Failed(PodStreamException failure) => failure.Error switch
    {
        PodStreamError.PodNotFound or PodStreamError.ContainerNotFound => new(failure.Message, "NotFound", 404, 0),
        PodStreamError.NotRunning => new(failure.Message, "BadRequest", 400, 0),
        _ => new(failure.Message, "InternalError", 500, 0),
    };

    public static RemoteCommandOutcome InternalError(string message) => new(message, "InternalError", 500, 0);

    /// <summary>Protocols before v4: the error as text, nothing for success.</summary>
    public byte[] AsText() => Failure is null ? [] : Encoding.UTF8.GetBytes(Failure);

    /// <summary>From v4 on: a Status, in which kubectl finds the exit code as the cause ExitCode.</summary>
    public byte[] AsStatus()
    {
        var status = new JsonObject { ["metadata"] = new JsonObject(), ["status"] = Failure is null ? "Success" : "Failure" };
        if (Failure is not null)
        {
            status["message"] = Failure;
            status["reason"] = Reason;
            if (ExitCode != 0)
                status["details"] = new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ExitCode", ["message"] = $"{ExitCode}" }) };
            else
                status["code"] = Code;
        }

        return JsonSerializer.SerializeToUtf8Bytes(status);
    }
}
