using Google.Protobuf;

namespace Weft.Grpc;

/// <param name="Service">With its package: `runtime.v1.RuntimeService`.</param>
public sealed record GrpcMethod<TRequest, TResponse>(string Service, string Name, MessageParser<TResponse> Parser)
    where TRequest : IMessage
    where TResponse : IMessage<TResponse>
{
    internal string Path => $"/{Service}/{Name}";
}

public sealed record GrpcCallOptions
{
    public static readonly GrpcCallOptions None = new();

    /// <summary>The server is told, and the call ends here too when it has passed. Null: no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Names in lower case; ASCII values.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Metadata { get; init; } = [];
}

public sealed record GrpcLimits
{
    public static readonly GrpcLimits Default = new();

    /// <summary>The largest message that is accepted. 16 MiB is what containerd and the kubelet allow each other.</summary>
    public int MaxMessageBytes { get; init; } = 16 * 1024 * 1024;
}
