using System.Globalization;
using System.Net;
using System.Text.Json;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>What <c>docker</c> prints, made into records. Shapes: the types that the Engine API's description calls SystemInfo, Network, ContainerInspectResponse and ImageInspect.</summary>
internal static class DockerDocuments
{
    /// <summary>Whether <c>docker info</c> came from Podman: the package podman-docker puts it in the place of docker.</summary>
    public static bool IsPodman(string info) => EngineJson.Read("docker info", info, root => root.Get("host").ValueKind == JsonValueKind.Object && root.Text("ServerVersion").Length == 0);

    /// <summary>Whether the engine runs Windows containers, as Docker Desktop can: kind's nodes are Linux.</summary>
    public static bool RunsWindows(string info) => EngineJson.Read("docker info", info, root => root.Text("OSType") == "windows");

    /// <summary>Reads <c>docker info</c>.</summary>
    /// <param name="json">What it printed.</param>
    /// <param name="endpoint">Where the engine listens: the document does not say it.</param>
    /// <param name="machine">This machine's name.</param>
    public static EngineInfo Info(string json, string endpoint, string machine) => EngineJson.Read("docker info", json, root => new EngineInfo
    {
        Engine = ContainerEngineChoice.Docker,
        Version = root.Required("ServerVersion"),
        Endpoint = endpoint,
        OperatingSystem = root.Text("OperatingSystem"),
        Architecture = EngineJson.Architecture(root.Required("Architecture")),
        CgroupVersion = root.Text("CgroupVersion") == "1" ? 1 : 2,
        CgroupDriver = root.Text("CgroupDriver"),
        Processors = (int)Math.Clamp(root.Number("NCPU"), 0, int.MaxValue),
        Memory = root.Number("MemTotal"),
        RootDirectory = root.Text("DockerRootDir"),
        LogDriver = root.Text("LoggingDriver"),
        AddressPools = [.. root.Get("DefaultAddressPools").Items().Select(Pool).OfType<EngineAddressPool>()],
        IsRootless = root.Get("SecurityOptions").Items().Any(option => option.Text().Split(',').Contains("name=rootless")),
        IsRemote = EngineEndpoint.IsRemote(endpoint, machine),
    });

    private static EngineAddressPool? Pool(JsonElement pool) =>
        IPNetwork.TryParse(pool.Text("Base"), out var range) && pool.Number("Size") is > 0 and <= 128 and var size ? new EngineAddressPool(range, (int)size) : null;

    /// <summary>Reads the name and the address of <c>docker context inspect</c>.</summary>
    public static (string Name, string Endpoint) Context(string json) => EngineJson.Read("docker context inspect", json, root =>
        root.Items().Select(context => (context.Text("Name"), context.Text("Endpoints", "docker", "Host"))).FirstOrDefault(("", "")));

    /// <summary>Reads <c>docker network inspect</c> of any number of networks.</summary>
    public static IReadOnlyList<EngineNetwork> Networks(string json) => EngineJson.Read("docker network inspect", json, root => root.Items().Select(Network).ToList());

    /// <summary>Reads <c>docker inspect --type=container</c> of any number of containers.</summary>
    public static IReadOnlyList<EngineContainer> Containers(string json) => EngineJson.Read("docker inspect", json, root => root.Items().Select(Container).ToList());

    /// <summary>Reads <c>docker image inspect</c> of one image.</summary>
    public static EngineImage? Image(string json) => EngineJson.Read("docker image inspect", json, root => root.Items().Select(Image).FirstOrDefault());

    /// <summary>An image's document is the same with either engine, but that Podman leaves away what the id is a digest of.</summary>
    internal static EngineImage Image(JsonElement image) => new()
    {
        Id = image.Required("Id") is var id && id.Contains(':', StringComparison.Ordinal) ? id : $"sha256:{id}",
        Architecture = EngineJson.Architecture(image.Text("Architecture")),
        Digests = [.. image.Get("RepoDigests").Items().Select(digest => digest.Text()).Where(digest => digest.Length > 0)],
    };

    /// <summary>A container's document is nearly the same with either engine.</summary>
    internal static EngineContainer Container(JsonElement container) => new()
    {
        Id = container.Required("Id"),
        Name = container.Required("Name").TrimStart('/'),
        Created = DateTimeOffset.TryParse(container.Text("Created"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var created) ? created.ToUniversalTime() : null,
        Image = container.Text("Config", "Image"),
        ImageId = container.Text("Image") is { Length: > 0 } id && !id.Contains(':', StringComparison.Ordinal) ? $"sha256:{id}" : container.Text("Image"),
        IsRunning = container.Flag("State", "Running"),
        Labels = container.Get("Config", "Labels").Texts(),
        Addresses = container.Get("NetworkSettings", "Networks").Members().DistinctBy(network => network.Name).ToDictionary(
            network => network.Name,
            network => EngineJson.Addresses(network.Value.Text("IPAddress"), network.Value.Text("GlobalIPv6Address"))),
        Ports = Ports(container),
    };

    private static EngineNetwork Network(JsonElement network) => new()
    {
        Id = network.Required("Id"),
        Name = network.Required("Name"),
        Driver = network.Text("Driver"),
        HasIpv6 = network.Flag("EnableIPv6"),
        Subnets = [.. network.Get("IPAM", "Config").Items().Select(Subnet).OfType<EngineSubnet>()],
        Members = network.Get("Containers").Members().Select(member => member.Value).Where(member => member.Text("Name").Length > 0).DistinctBy(member => member.Text("Name")).ToDictionary(
            member => member.Text("Name"),
            member => EngineJson.Addresses(member.Text("IPv4Address"), member.Text("IPv6Address"))),
        Labels = network.Get("Labels").Texts(),
    };

    private static EngineSubnet? Subnet(JsonElement subnet) => EngineJson.Range(subnet.Text("Subnet")) is not { } range ? null : new EngineSubnet
    {
        Range = range,
        Gateway = EngineJson.Address(subnet.Text("Gateway")),
        IpRange = EngineJson.Range(subnet.Text("IPRange")),
        Auxiliary = EngineJson.Addresses((subnet.Get("AuxiliaryAddresses") is { ValueKind: JsonValueKind.Object } given ? given : subnet.Get("AuxAddress")).Texts().Values),
    };

    // A container that is stopped has no ports, but says which it will have; 0 or none is any free one at its start.
    private static List<PublishedPort> Ports(JsonElement container) =>
        PublishedPorts(container.Get("NetworkSettings", "Ports")) is { Count: > 0 } live ? live : PublishedPorts(container.Get("HostConfig", "PortBindings"));

    private static List<PublishedPort> PublishedPorts(JsonElement ports) =>
        [.. (from port in ports.Members()
             let parts = port.Name.Split('/')
             let number = ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var read) ? read : 0
             from binding in port.Value.Items()
             let hostPort = binding.Number("HostPort")
             let hostAddress = binding.Text("HostIp") is "0.0.0.0" or "::" ? "" : binding.Text("HostIp")
             where number > 0 && hostPort is > 0 and <= ushort.MaxValue
             select new PublishedPort(hostAddress, (int)hostPort, number, parts.Length > 1 ? parts[1] : "tcp")).Distinct()];
}
