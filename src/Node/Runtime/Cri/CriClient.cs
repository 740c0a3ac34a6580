using Google.Protobuf;
using Weft.Grpc;
using Weft.Node.Runtime.Cri.Wire;

namespace Weft.Node.Runtime.Cri;

/// <summary>The calls of one containerd: CRI for pods, its own services for events and commands in containers.</summary>
internal sealed class CriClient(GrpcChannel channel)
{
    private const string Cri = "runtime.v1.RuntimeService", Image = "runtime.v1.ImageService", Tasks = "containerd.services.tasks.v1.Tasks";

    // containerd's own services keep what CRI makes under this name.
    private const string Namespace = "k8s.io";

    // The kubelet's runtimeRequestTimeout.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly IReadOnlyList<KeyValuePair<string, string>> InNamespace = [new("containerd-namespace", Namespace)];

    public Task<VersionResponse> VersionAsync(CancellationToken token) => CallAsync(Cri, "Version", new VersionRequest(), VersionResponse.Parser, TimeSpan.FromSeconds(5), token);

    public Task<StatusResponse> StatusAsync(CancellationToken token) => CallAsync(Cri, "Status", new StatusRequest(), StatusResponse.Parser, Patience, token);

    public Task<RunPodSandboxResponse> RunPodSandboxAsync(PodSandboxConfig config, string handler, CancellationToken token) =>
        CallAsync(Cri, "RunPodSandbox", new RunPodSandboxRequest { Config = config, RuntimeHandler = handler }, RunPodSandboxResponse.Parser, Patience * 2, token);

    public Task<StopPodSandboxResponse> StopPodSandboxAsync(string id, CancellationToken token) =>
        CallAsync(Cri, "StopPodSandbox", new StopPodSandboxRequest { PodSandboxId = id }, StopPodSandboxResponse.Parser, Patience, token);

    public Task<RemovePodSandboxResponse> RemovePodSandboxAsync(string id, CancellationToken token) =>
        CallAsync(Cri, "RemovePodSandbox", new RemovePodSandboxRequest { PodSandboxId = id }, RemovePodSandboxResponse.Parser, Patience, token);

    public Task<PodSandboxStatusResponse> PodSandboxStatusAsync(string id, bool verbose, CancellationToken token) =>
        CallAsync(Cri, "PodSandboxStatus", new PodSandboxStatusRequest { PodSandboxId = id, Verbose = verbose }, PodSandboxStatusResponse.Parser, Patience, token);

    public Task<ListPodSandboxResponse> ListPodSandboxAsync(IReadOnlyDictionary<string, string> labels, CancellationToken token)
    {
        var filter = new PodSandboxFilter();
        foreach (var (key, value) in labels)
            filter.LabelSelector.Add(key, value);
        return CallAsync(Cri, "ListPodSandbox", new ListPodSandboxRequest { Filter = filter }, ListPodSandboxResponse.Parser, Patience, token);
    }

    public Task<CreateContainerResponse> CreateContainerAsync(string sandboxId, ContainerConfig config, PodSandboxConfig sandbox, CancellationToken token) =>
        CallAsync(Cri, "CreateContainer", new CreateContainerRequest { PodSandboxId = sandboxId, Config = config, SandboxConfig = sandbox }, CreateContainerResponse.Parser, Patience, token);

    public Task<StartContainerResponse> StartContainerAsync(string id, CancellationToken token) =>
        CallAsync(Cri, "StartContainer", new StartContainerRequest { ContainerId = id }, StartContainerResponse.Parser, Patience, token);

    public Task<StopContainerResponse> StopContainerAsync(string id, long seconds, CancellationToken token) =>
        CallAsync(Cri, "StopContainer", new StopContainerRequest { ContainerId = id, Timeout = seconds }, StopContainerResponse.Parser, Patience + TimeSpan.FromSeconds(seconds), token);

    public Task<RemoveContainerResponse> RemoveContainerAsync(string id, CancellationToken token) =>
        CallAsync(Cri, "RemoveContainer", new RemoveContainerRequest { ContainerId = id }, RemoveContainerResponse.Parser, Patience, token);

    public Task<ListContainersResponse> ListContainersAsync(CancellationToken token) =>
        CallAsync(Cri, "ListContainers", new ListContainersRequest(), ListContainersResponse.Parser, Patience, token);

    public Task<ContainerStatusResponse> ContainerStatusAsync(string id, CancellationToken token) =>
        CallAsync(Cri, "ContainerStatus", new ContainerStatusRequest { ContainerId = id }, ContainerStatusResponse.Parser, Patience, token);

    /// <summary>Sizes are those of containerd's last look at its snapshots, 10 s ago at most.</summary>
    public Task<ContainerStatsResponse> ContainerStatsAsync(string id, CancellationToken token) =>
        CallAsync(Cri, "ContainerStats", new ContainerStatsRequest { ContainerId = id }, ContainerStatsResponse.Parser, Patience, token);

    public Task<ReopenContainerLogResponse> ReopenContainerLogAsync(string id, CancellationToken token) =>
        CallAsync(Cri, "ReopenContainerLog", new ReopenContainerLogRequest { ContainerId = id }, ReopenContainerLogResponse.Parser, Patience, token);

    public Task<AttachResponse> AttachAsync(AttachRequest request, CancellationToken token) => CallAsync(Cri, "Attach", request, AttachResponse.Parser, Patience, token);

    public Task<ListImagesResponse> ListImagesAsync(CancellationToken token) => CallAsync(Image, "ListImages", new ListImagesRequest(), ListImagesResponse.Parser, Patience, token);

    public Task<ImageStatusResponse> ImageStatusAsync(string image, CancellationToken token) =>
        CallAsync(Image, "ImageStatus", new ImageStatusRequest { Image = new() { Image = image } }, ImageStatusResponse.Parser, Patience, token);

    /// <summary>As long as it takes: the caller cancels.</summary>
    public Task<PullImageResponse> PullImageAsync(string image, AuthConfig? auth, CancellationToken token) =>
        CallAsync(Image, "PullImage", new PullImageRequest { Image = new() { Image = image }, Auth = auth }, PullImageResponse.Parser, null, token);

    public Task<RemoveImageResponse> RemoveImageAsync(string image, CancellationToken token) =>
        CallAsync(Image, "RemoveImage", new RemoveImageRequest { Image = new() { Image = image } }, RemoveImageResponse.Parser, Patience, token);

    public Task<ImageFsInfoResponse> ImageFsInfoAsync(CancellationToken token) => CallAsync(Image, "ImageFsInfo", new ImageFsInfoRequest(), ImageFsInfoResponse.Parser, Patience, token);

    // --- containerd's own services

    public IAsyncEnumerable<EventEnvelope> SubscribeAsync(IEnumerable<string> filters, CancellationToken token) =>
        channel.ServerStreamAsync(
            new GrpcMethod<SubscribeRequest, EventEnvelope>("containerd.services.events.v1.Events", "Subscribe", EventEnvelope.Parser),
            new SubscribeRequest { Filters = { filters } }, new GrpcCallOptions { Metadata = InNamespace }, token);

    public Task PublishAsync(string topic, IMessage message, CancellationToken token) =>
        OwnAsync("containerd.services.events.v1.Events", "Publish", new PublishRequest { Topic = topic, Event = Google.Protobuf.WellKnownTypes.Any.Pack(message) }, Nothing.Parser, Patience, token);

    /// <summary>The OCI runtime specification of a container, as JSON.</summary>
    public async Task<byte[]> ContainerSpecAsync(string id, CancellationToken token) =>
        (await OwnAsync("containerd.services.containers.v1.Containers", "Get", new GetContainerRequest { Id = id }, GetContainerResponse.Parser, Patience, token)).Container.Spec.Value.ToByteArray();

    public Task ExecAsync(ExecProcessRequest request, CancellationToken token) => OwnAsync(Tasks, "Exec", request, Nothing.Parser, Patience, token);

    public Task StartExecAsync(string container, string exec, CancellationToken token) =>
        OwnAsync(Tasks, "Start", new StartRequest { ContainerId = container, ExecId = exec }, StartResponse.Parser, Patience, token);

    /// <summary>Answers when the process has ended.</summary>
    public async Task<int> WaitAsync(string container, string exec, CancellationToken token) =>
        (int)(await OwnAsync(Tasks, "Wait", new WaitRequest { ContainerId = container, ExecId = exec }, WaitResponse.Parser, null, token)).ExitStatus;

    public Task KillAsync(string container, string exec, int signal, CancellationToken token) =>
        OwnAsync(Tasks, "Kill", new KillRequest { ContainerId = container, ExecId = exec, Signal = (uint)signal }, Nothing.Parser, Patience, token);

    public Task DeleteExecAsync(string container, string exec, CancellationToken token) =>
        OwnAsync(Tasks, "DeleteProcess", new DeleteProcessRequest { ContainerId = container, ExecId = exec }, DeleteResponse.Parser, Patience, token);

    public Task ResizeAsync(string container, string exec, ushort width, ushort height, CancellationToken token) =>
        OwnAsync(Tasks, "ResizePty", new ResizePtyRequest { ContainerId = container, ExecId = exec, Width = width, Height = height }, Nothing.Parser, Patience, token);

    public Task CloseInputAsync(string container, string exec, CancellationToken token) =>
        OwnAsync(Tasks, "CloseIO", new CloseIORequest { ContainerId = container, ExecId = exec, Stdin = true }, Nothing.Parser, Patience, token);

    private Task<TResponse> CallAsync<TRequest, TResponse>(string service, string name, TRequest request, MessageParser<TResponse> parser, TimeSpan? timeout, CancellationToken token)
        where TRequest : IMessage
        where TResponse : class, IMessage<TResponse> =>
        channel.UnaryAsync(new GrpcMethod<TRequest, TResponse>(service, name, parser), request, new GrpcCallOptions { Timeout = timeout }, token);

    private Task<TResponse> OwnAsync<TRequest, TResponse>(string service, string name, TRequest request, MessageParser<TResponse> parser, TimeSpan? timeout, CancellationToken token)
        where TRequest : IMessage
        where TResponse : class, IMessage<TResponse> =>
        channel.UnaryAsync(new GrpcMethod<TRequest, TResponse>(service, name, parser), request, new GrpcCallOptions { Timeout = timeout, Metadata = InNamespace }, token);
}
