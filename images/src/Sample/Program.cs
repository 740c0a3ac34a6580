using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Weft.Images.Sample;

// sample echo [--http PORTS] [--tcp PORTS] [--udp PORTS] | clock [PORT] | app [PORT] | load URL ...
using var stopping = new CancellationTokenSource();
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
try
{
    await (args switch
    {
        ["echo", .. var options] => Task.WhenAll(Echo(options)),
        ["clock", .. var port] => HttpServer.RunAsync(Single(port), new Clock(TimeProvider.System).Answer, stopping.Token),
        ["app", .. var port] => HttpServer.RunAsync(Single(port), App.Answer, stopping.Token),
        ["load", .. var options] => new Load(options).RunAsync(stopping.Token),
        _ => throw new ArgumentException("usage: sample echo [--http 8080] [--tcp 9090] [--udp 9090] | clock [8080] | app [8080] | load URL"),
    });
    return 0;
}
catch (Exception wrong) when (wrong is ArgumentException or SocketException)
{
    await Console.Error.WriteLineAsync(wrong.Message);
    return 1;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stopping.Cancel();
}

IEnumerable<Task> Echo(string[] options) =>
[
    .. Ports(options, "--http", "ECHO_HTTP", "8080").Select(port => HttpServer.RunAsync(port, HttpEcho.Answer, stopping.Token)),
    .. Ports(options, "--tcp", "ECHO_TCP", "9090").Select(port => SocketEcho.RunTcpAsync(port, stopping.Token)),
    .. Ports(options, "--udp", "ECHO_UDP", "9090").Select(port => SocketEcho.RunUdpAsync(port, stopping.Token)),
];

static IEnumerable<int> Ports(string[] options, string option, string variable, string otherwise)
{
    var at = Array.IndexOf(options, option);
    var text = at >= 0 && at + 1 < options.Length ? options[at + 1] : Environment.GetEnvironmentVariable(variable) ?? otherwise;
    return text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Port);
}

static int Single(string[] port) => Port(port is [var one] ? one : "8080");

static int Port(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536
    ? port
    : throw new ArgumentException($"'{text}' is no port");
