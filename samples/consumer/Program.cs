using Cake.Frosting;
using Cake.Frosting.MeshTrust;
using Cake.Frosting.MeshTrust.Tasks;

return new CakeHost()
    .AddAssembly(typeof(VerifyTask).Assembly)
    .ConfigureServices(services => services.AddMeshTrust())
    .Run(CakeCommandLine.Normalize(args));
