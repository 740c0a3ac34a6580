using Weft.Samples.Discovery;

// Four things that a service does with a mesh, each some lines of C#. The registry is at CONSUL_HTTP_ADDR, or at 127.0.0.1:8500.
switch (args)
{
    case ["balance", var url, .. var times]:
        return await Balance.RunAsync(new Uri(url), times.Length > 0 ? int.Parse(times[0], System.Globalization.CultureInfo.InvariantCulture) : 4);
    case ["discover", var service]:
        return await Discover.RunAsync(service);
    case ["secure", var url, var token]:
        return await Secure.RunAsync(new Uri(url), token);
    case ["log", var file]:
        return ServiceLog.Run(file);
    default:
        Console.Error.WriteLine("usage: balance URL [TIMES] | discover SERVICE | secure URL TOKEN | log FILE");
        return 2;
}
