package onboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"text/template"
)

const profileXML = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>ConsentText</key>
	<dict>
		<key>default</key>
		<string>After installing, switch it on: Settings, General, About, Certificate Trust Settings.</string>
		<key>zh-Hans</key>
		<string>安装后还须启用：设置 › 通用 › 关于本机 › 证书信任设置。</string>
	</dict>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadCertificateFileName</key>
			<string>fieldphone-ca.crt</string>
			<key>PayloadContent</key>
			<data>{{.Data}}</data>
			<key>PayloadDescription</key>
			<string>{{.Description}}</string>
			<key>PayloadDisplayName</key>
			<string>{{.Name}}</string>
			<key>PayloadIdentifier</key>
			<string>{{.ID}}.root</string>
			<key>PayloadType</key>
			<string>com.apple.security.root</string>
			<key>PayloadUUID</key>
			<string>{{.RootUUID}}</string>
			<key>PayloadVersion</key>
			<integer>1</integer>
		</dict>
	</array>
	<key>PayloadDescription</key>
	<string>{{.Description}}</string>
	<key>PayloadDisplayName</key>
	<string>{{.Name}}</string>
	<key>PayloadIdentifier</key>
	<string>{{.ID}}</string>
	<key>PayloadOrganization</key>
	<string>Fieldphone</string>
	<key>PayloadRemovalDisallowed</key>
	<false/>
	<key>PayloadType</key>
	<string>Configuration</string>
	<key>PayloadUUID</key>
	<string>{{.UUID}}</string>
	<key>PayloadVersion</key>
	<integer>1</integer>
</dict>
</plist>
`

// Profile returns the CA as a configuration profile for Apple's devices (.mobileconfig),
// a property list. Its identifiers depend on the certificate alone: installed again, it
// replaces itself.
func Profile(ca CA) ([]byte, error) {
	parsed, err := template.New("profile").Parse(profileXML)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	var name bytes.Buffer
	if err := xml.EscapeText(&name, []byte(ca.Name)); err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, map[string]string{
		"Data": base64.StdEncoding.EncodeToString(ca.DER), "Name": name.String(),
		"ID":          fmt.Sprintf("fieldphone.ca.%x", ca.Fingerprint[:8]),
		"Description": "SHA-256 " + ca.Fingerprint.Digits(),
		"UUID":        uuidOf("profile", ca.DER), "RootUUID": uuidOf("root", ca.DER),
	})
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return out.Bytes(), nil
}

// uuidOf derives a UUID from a certificate and what it is for (RFC 9562, version 8).
func uuidOf(purpose string, der []byte) string {
	sum := sha256.Sum256(append([]byte("fieldphone "+purpose+"\x00"), der...))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
