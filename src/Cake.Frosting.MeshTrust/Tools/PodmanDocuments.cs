using System.Net;
using System.Text.Json;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>What <c>podman</c> (4 and later) prints, made into records. Shapes: podman-info(1), podman-network-inspect(1) and podman-inspect(1).</summary>
internal static class PodmanDocuments
{
    /// <summary>Reads <c>podman info</c>.</summary>
    /// <param name="json">What it printed.</param>
    /// <param name="endpoint">The address that the user named (<c>CONTAINER_HOST</c>); empty where none is named.</param>
    /// <param name="machine">This machine's name.</param>
    public static EngineInfo Info(string json, string endpoint, string machine) => EngineJson.Read("podman info", json, root => new EngineInfo
    {
        Engine = ContainerEngineChoice.Podman,
        Version = root.Get("version").Required("Version"),
        Endpoint = endpoint.Length > 0 ? endpoint : Socket(root.Text("host", "remoteSocket", "path")),
        OperatingSystem = $"{root.Text("host", "distribution", "distribution")} {root.Text("host", "distribution", "version")}".Trim(),
        Architecture = EngineJson.Architecture(root.Get("host").Required("arch")),
        CgroupVersion = root.Text("host", "cgroupVersion") == "v1" ? 1 : 2,
        CgroupDriver = root.Text("host", "cgroupManager"),
        Processors = (int)Math.Clamp(root.Number("host", "cpus"), 0, int.MaxValue),
        Memory = root.Number("host", "memTotal"),
        RootDirectory = root.Text("store", "graphRoot"),
        LogDriver = root.Text("host", "logDriver"),
        IsRootless = root.Flag("host", "security", "rootless"),
        IsRemote = EngineEndpoint.IsRemote(endpoint, machine),
    });

    /// <summary>Reads <c>podman network inspect</c> of any number of networks.</summary>
    /// <param name="json">What it printed.</param>
    /// <param name="containers">All containers: before version 5 the document does not say who is in a network.</param>
    public static IReadOnlyList<EngineNetwork> Networks(string json, IReadOnlyList<EngineContainer> containers) =>
        EngineJson.Read("podman network inspect", json, root => root.Items().Select(network => Network(network, containers)).ToList());

    /// <summary>Reads <c>podman inspect --type=container</c> of any number of containers.</summary>
    public static IReadOnlyList<EngineContainer> Containers(string json) => EngineJson.Read("podman inspect", json, root => root.Items().Select(Container).ToList());

    private static EngineContainer Container(JsonElement container) => DockerDocuments.Container(container) with
    {
        Image = container.Text("ImageName") is { Length: > 0 } name ? name : container.Text("Config", "Image"),
    };

    private static EngineNetwork Network(JsonElement network, IReadOnlyList<EngineContainer> containers)
    {
        var name = network.Required("name");
        return new EngineNetwork
        {
            Id = network.Required("id"),
            Name = name,
            Driver = network.Text("driver"),
            HasIpv6 = network.Flag("ipv6_enabled"),
            Subnets = [.. network.Get("subnets").Items().Select(Subnet).OfType<EngineSubnet>()],
            Members = containers.Where(container => container.IsRunning && container.Addresses.ContainsKey(name)).DistinctBy(container => container.Name)
                .ToDictionary(container => container.Name, container => container.Addresses[name]),
            Labels = network.Get("labels").Texts(),
        };
    }

    private static EngineSubnet? Subnet(JsonElement subnet) => EngineJson.Range(subnet.Text("subnet")) is not { } range ? null : new EngineSubnet
    {
        Range = range,
        Gateway = EngineJson.Address(subnet.Text("gateway")),
        IpRange = Lease(subnet.Text("lease_range", "start_ip"), subnet.Text("lease_range", "end_ip")),
    };

    // --ip-range becomes a first and a last address. The smallest range that holds both is what was asked for, or a little more.
    private static IPNetwork? Lease(string first, string last)
    {
        if (EngineJson.Address(first) is not { } start || EngineJson.Address(last) is not { } end || start.AddressFamily != end.AddressFamily) return null;
        var (low, high) = (start.GetAddressBytes(), end.GetAddressBytes());
        var length = 0;
        while (length < low.Length * 8 && ((low[length / 8] ^ high[length / 8]) & (0x80 >> (length % 8))) == 0) length++;
        return EngineJson.Range($"{start}/{length}");
    }

    private static string Socket(string path) => path.Length == 0 || path.Contains("://", StringComparison.Ordinal) ? path : $"unix://{path}";
}
