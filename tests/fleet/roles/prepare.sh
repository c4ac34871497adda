# What the roles find on their host: a repository of git's, Python packages, an archive, a user who has left, and files
# whose modes are too wide.
set -e
export SOURCE_DATE_EPOCH=1700000000 GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
export GIT_CONFIG_NOSYSTEM=1 HOME=/root

mkdir -p /srv/git /srv/wheels /root/source && cd /root/source
git init -q -b main .
cat > app.py <<'END'
import http.server, json, os
from greeting import VERSION

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = {"greeting": os.environ["GREETING"], "debug": os.environ["DEBUG"], "version": VERSION}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
END
printf 'greeting>=1.0\n' > requirements.txt
git add . && git -c user.name=t -c user.email=t@localhost commit -q -m one
git tag v1
echo '# newer' >> app.py
git -c user.name=t -c user.email=t@localhost commit -q -a -m two
git clone -q --bare . /srv/git/greeter.git
# Others than its owner may read it.
git config --system safe.directory '*'
cd / && rm -r /root/source
python3 - <<'END'
import zipfile

def write(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2023, 11, 14, 22, 13, 20)), text)

for name in "greeting", "farewell":
    info = f"{name}-1.0.dist-info"
    write(f"/srv/wheels/{name}-1.0-py3-none-any.whl", {
        f"{name}.py": "VERSION = 'v1'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
    })
write("/srv/data.zip", {"data/countries.csv": "de,Germany\nfr,France\n", "data/empty.csv": ""})
END
mkdir -p /srv/assets/css /srv/tree/deep
echo 'body { margin: 0 }' > /srv/assets/css/site.css
echo 'User-agent: *' > /srv/assets/robots.txt
chmod 777 /srv/assets/robots.txt
tar -C /srv --owner 0 --group 0 --mtime @1700000000 -czf /srv/assets.tar.gz assets
rm -r /srv/assets

useradd --create-home --uid 4999 leaver
touch /srv/tree/deep/file && chmod -R 777 /srv/tree && chmod 644 /srv/tree/deep/file
touch /etc/writable && chmod 666 /etc/writable
printf '20230101 2 6 100 1535 2 AB\n20230101 2 6 100 3071 5 CD\n' > /etc/ssh/moduli
mkdir -p /etc/nginx/sites-available && echo '# old' > /etc/nginx/sites-available/old.conf
