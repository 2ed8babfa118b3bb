using System.Globalization;
using System.Net;
using System.Text.Json;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>
/// Parses what docker and podman (4 and later) print. The two differ in where a value is: it is read from the first place that has it.
/// Shapes: the types that Docker's Engine API calls SystemInfo, Network, ContainerInspectResponse and ImageInspect; podman-info(1),
/// podman-network-inspect(1) and podman-inspect(1).
/// </summary>
internal static class EngineDocuments
{
    /// <summary>Reads <c>info</c>.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">
    /// MT2205: docker is Podman or runs Windows containers; MT2206: it cannot be read.
    /// </exception>
    public static EngineInfo Info(ContainerEngineChoice engine, string json, string endpoint, string machine) =>
        Read(engine, "info", json, root => Info(engine, root, endpoint, machine));

    private static EngineInfo Info(ContainerEngineChoice engine, JsonElement root, string endpoint, string machine)
    {
        if (engine == ContainerEngineChoice.Docker)
        {
            // The package podman-docker replaces docker with Podman; Docker Desktop can run Windows containers.
            if (root.Get("host").ValueKind == JsonValueKind.Object && root.Text("ServerVersion").Length == 0)
                throw EngineFault.Of(EngineFault.PodmanAsDocker());
            if (root.Text("OSType") == "windows") throw EngineFault.Of(EngineFault.WindowsContainers());
        }

        var distribution = $"{root.Text("host.distribution.distribution")} {root.Text("host.distribution.version")}".Trim();
        return new EngineInfo
        {
            Engine = engine,
            Version = root.Required("ServerVersion", "version.Version"),
            Endpoint = endpoint.Length > 0 ? endpoint : Socket(root.Text("host.remoteSocket.path")),
            OperatingSystem = root.Text("OperatingSystem") is { Length: > 0 } name ? name : distribution,
            Architecture = EngineJson.Architecture(root.Required("Architecture", "host.arch")),
            CgroupVersion = root.Text("CgroupVersion", "host.cgroupVersion") is "1" or "v1" ? 1 : 2,
            CgroupDriver = root.Text("CgroupDriver", "host.cgroupManager"),
            Processors = (int)Math.Clamp(root.Number("NCPU", "host.cpus"), 0, int.MaxValue),
            Memory = root.Number("MemTotal", "host.memTotal"),
            RootDirectory = root.Text("DockerRootDir", "store.graphRoot"),
            LogDriver = root.Text("LoggingDriver", "host.logDriver"),
            AddressPools = [.. root.Get("DefaultAddressPools").Items().Select(Pool).OfType<EngineAddressPool>()],
            IsRootless = root.Flag("host.security.rootless")
                || root.Get("SecurityOptions").Items().Any(option => option.Text().Split(',').Contains("name=rootless")),
            IsRemote = IsRemote(endpoint, machine),
        };
    }

    public static (string Name, string Endpoint) Context(string json) => Read(ContainerEngineChoice.Docker, "context inspect", json, root =>
        root.Items().Select(context => (context.Text("Name"), context.Text("Endpoints.docker.Host"))).FirstOrDefault(("", "")));

    /// <summary>The containers are for Podman: before version 5 its document does not say who is in a network.</summary>
    public static IReadOnlyList<EngineNetwork> Networks(
        ContainerEngineChoice engine, string json, IReadOnlyList<EngineContainer> containers) =>
        Read(engine, "network inspect", json, root => root.Items().Select(network => new EngineNetwork
        {
            Id = network.Required("Id"),
            Name = network.Required("Name"),
            Driver = network.Text("Driver"),
            HasIpv6 = network.Flag("EnableIPv6") || network.Flag("ipv6_enabled"),
            Subnets = [.. network.Get("IPAM.Config").Items().Concat(network.Get("subnets").Items()).Select(Subnet).OfType<EngineSubnet>()],
            Members = engine == ContainerEngineChoice.Docker ? Members(network) : Members(network.Text("Name"), containers),
            Labels = network.Get("Labels").Texts(),
        }).ToList());

    public static IReadOnlyList<EngineContainer> Containers(ContainerEngineChoice engine, string json) =>
        Read(engine, "inspect", json, root => root.Items().Select(container => new EngineContainer
        {
            Id = container.Required("Id"),
            Name = container.Required("Name").TrimStart('/'),
            Created = Time(container.Text("Created")),
            Image = container.Text("ImageName", "Config.Image"),
            ImageId = Digest(container.Text("Image")),
            IsRunning = container.Flag("State.Running"),
            Labels = container.Get("Config.Labels").Texts(),
            Addresses = container.Get("NetworkSettings.Networks").Members().DistinctBy(network => network.Name).ToDictionary(
                network => network.Name,
                network => EngineJson.Addresses(network.Value.Text("IPAddress"), network.Value.Text("GlobalIPv6Address"))),
            Ports = Ports(container),
        }).ToList());

    public static EngineImage? Image(ContainerEngineChoice engine, string json) =>
        Read(engine, "image inspect", json, root => root.Items().Select(image => new EngineImage
        {
            Id = Digest(image.Required("Id")),
            Architecture = EngineJson.Architecture(image.Text("Architecture")),
            Digests = [.. image.Get("RepoDigests").Items().Select(digest => digest.Text()).Where(digest => digest.Length > 0)],
        }).FirstOrDefault());

    /// <summary>
    /// Whether an engine runs on another machine: sockets and pipes belong to this one, and so does a host with this machine's name.
    /// </summary>
    internal static bool IsRemote(string endpoint, string machine)
    {
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var address) || address.Scheme is "unix" or "npipe" or "fd" or "file")
            return false;
        var host = address.Host.Trim('[', ']');
        return host.Length > 0
            && !string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
            && !string.Equals(host, machine, StringComparison.OrdinalIgnoreCase)
            && !(IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip));
    }

    private static T Read<T>(ContainerEngineChoice engine, string command, string json, Func<JsonElement, T> read) =>
        EngineJson.Read($"{Text.Lower(engine)} {command}", json, read);

    private static EngineAddressPool? Pool(JsonElement pool) =>
        IPNetwork.TryParse(pool.Text("Base"), out var range) && pool.Number("Size") is > 0 and <= 128 and var size
            ? new EngineAddressPool(range, (int)size)
            : null;

    private static Dictionary<string, IReadOnlyList<IPAddress>> Members(JsonElement network) =>
        network.Get("Containers").Members().Select(member => member.Value)
            .Where(member => member.Text("Name").Length > 0)
            .DistinctBy(member => member.Text("Name"))
            .ToDictionary(member => member.Text("Name"),
                member => EngineJson.Addresses(member.Text("IPv4Address"), member.Text("IPv6Address")));

    private static Dictionary<string, IReadOnlyList<IPAddress>> Members(string network, IReadOnlyList<EngineContainer> containers) =>
        containers.Where(container => container.IsRunning && container.Addresses.ContainsKey(network))
            .DistinctBy(container => container.Name)
            .ToDictionary(container => container.Name, container => container.Addresses[network]);

    private static EngineSubnet? Subnet(JsonElement subnet)
    {
        if (EngineJson.Range(subnet.Text("Subnet")) is not { } range) return null;
        var auxiliary = subnet.Get("AuxiliaryAddresses") is { ValueKind: JsonValueKind.Object } given ? given : subnet.Get("AuxAddress");
        return new EngineSubnet
        {
            Range = range,
            Gateway = EngineJson.Address(subnet.Text("Gateway")),
            IpRange = EngineJson.Range(subnet.Text("IPRange"))
                ?? Lease(subnet.Text("lease_range.start_ip"), subnet.Text("lease_range.end_ip")),
            Auxiliary = EngineJson.Addresses(auxiliary.Texts().Values),
        };
    }

    // Podman stores --ip-range as a first and a last address. The smallest range with both is the requested one or slightly larger.
    private static IPNetwork? Lease(string first, string last)
    {
        if (EngineJson.Address(first) is not { } start || EngineJson.Address(last) is not { } end) return null;
        if (start.AddressFamily != end.AddressFamily) return null;
        var (low, high) = (start.GetAddressBytes(), end.GetAddressBytes());
        var length = 0;
        while (length < low.Length * 8 && ((low[length / 8] ^ high[length / 8]) & (0x80 >> (length % 8))) == 0) length++;
        return EngineJson.Range($"{start}/{length}");
    }

    // A stopped container has no ports, but shows which it will have; 0 or none means any free one at its start.
    private static List<PublishedPort> Ports(JsonElement container) =>
        PublishedPorts(container.Get("NetworkSettings.Ports")) is { Count: > 0 } live
            ? live
            : PublishedPorts(container.Get("HostConfig.PortBindings"));

    private static List<PublishedPort> PublishedPorts(JsonElement ports) =>
        [.. (from port in ports.Members()
             let parts = port.Name.Split('/')
             let number = ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var read) ? read : 0
             from binding in port.Value.Items()
             let hostPort = binding.Number("HostPort")
             let hostAddress = binding.Text("HostIp") is "0.0.0.0" or "::" ? "" : binding.Text("HostIp")
             where number > 0 && hostPort is > 0 and <= ushort.MaxValue
             select new PublishedPort(hostAddress, (int)hostPort, number, parts.Length > 1 ? parts[1] : "tcp")).Distinct()];

    private static DateTimeOffset? Time(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.ToUniversalTime()
            : null;

    /// <summary>An id with the name of its hash, which Podman omits.</summary>
    private static string Digest(string id) => id.Length == 0 || id.Contains(':', StringComparison.Ordinal) ? id : $"sha256:{id}";

    private static string Socket(string path) =>
        path.Length == 0 || path.Contains("://", StringComparison.Ordinal) ? path : $"unix://{path}";
}
