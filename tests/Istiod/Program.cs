using System.Net;
using MeshTrust.Tests.Istiod;

// In a pod: signs with the mounted secret, and reloads it when its files change, as istiod does.
var directory = args is [var path, ..] ? path : "/etc/cacerts";
var names = args is [_, .. var rest] ? rest : ["istiod.istio-system.svc"];
await using var service = await CertificateService.StartAsync(
    new Behaviour { Ca = () => CertificateAuthority.Read(directory), Names = names }, IPAddress.Any, 15012);
Console.WriteLine($"serving on {service.Port}");
await Task.Delay(Timeout.Infinite);
